"""Laws are searched without a time limit per example: a busy machine is no counterexample.

`LAWS=glance` looks at ten examples of each, for a run that asks whether the laws can be run at all.
"""

import os

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.register_profile("glance", deadline=None, max_examples=10)
settings.load_profile(os.environ.get("LAWS", "laws"))
