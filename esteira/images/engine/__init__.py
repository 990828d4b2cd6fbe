"""The container engine of this machine, Docker or Podman: giving it an image, and running commands in it."""
