"""`python -m els` is `els`."""

from els.main import main

raise SystemExit(main())
