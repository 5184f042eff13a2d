"""The workbench: local servers, deploy and demo; never deployed."""
