"""What `make doctor` finds on this machine; esteira/cloud/doctor.py asks the same of a Google Cloud project."""
