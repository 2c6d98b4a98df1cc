"""The batch oracle: what every total must be, counted a second time from the records alone.

Plain Python over what lies on the log, written from the definitions and apart
from the product: it imports none of its packages and shares no rule with it.
It holds everything in memory, sorts what it wants sorted, and looks for the
last click by bisection in the whole history of a user.

```
log of each partition -> events without repeats -> order lines -> credit -> cells of minutes -> hours and days
```

Records that the product would refuse are out of its scope.
"""

from oracle.cells import Cells, Counts
from oracle.counting import count
from oracle.ratios import RATIOS, RETURNS, rounded
from oracle.terms import Terms

__all__ = ["RATIOS", "RETURNS", "Cells", "Counts", "Terms", "count", "rounded"]
