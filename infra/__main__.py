"""What every stack exports today: the size of the estate it would declare. The estate's own resources come next."""

from pathlib import Path

import pulumi

from inventory import load

estate = load.load(Path(pulumi.Config("gdcc").get("estate") or Path(__file__).parent.parent / "inventory/estates/demo"))
pulumi.export("estate", estate.name)
pulumi.export("hosts", len(estate.hosts))
pulumi.export("systems", len(estate.systems))
