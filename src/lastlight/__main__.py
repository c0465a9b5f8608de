"""`python -m lastlight` is the same as `lastlight`."""

import sys

from lastlight.cli import main

sys.exit(main())
