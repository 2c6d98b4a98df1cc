"""The decide line, pure: what the runner of the line calls, in this order.

```
absorb    campaigns and answers           -> budgets as they stand
advance   one closed second               -> transitions
respond   transitions and standings       -> one shift, or held shifts with their reasons
```

Each takes the settings and a state and gives the next state; the state is one
JSON text between two runs. The same input gives the same bytes and the same ids.
"""

from rules.beliefs import advance
from rules.claims import pending, spent
from rules.ledger import absorb
from rules.response import owes, respond
from rules.state import DecideState, RegionState

__all__ = ["DecideState", "RegionState", "absorb", "advance", "owes", "pending", "respond", "spent"]
