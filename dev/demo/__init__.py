"""The demo: deploys the template, sends it the events of real files and checks every invariant."""
