"""The Cloud Build files: made from templates, and checked for what Cloud Build would refuse."""
