"""`python -m infra.docs` writes what is generated: the machine's picture, the contract's guide."""

from infra.docs import contract_guide
from infra.docs.machine import synthesized_states
from infra.docs.machine_picture import draw
from infra.docs.palettes import PALETTES
from infra.packaging.assets import ROOT

CONTRACT = ROOT / "infra" / "problems" / "flight_delays.yaml"
GUIDES = ROOT / "infra" / "docs"


def main() -> None:
    """Write all of it."""
    (GUIDES / "contract.md").write_text(contract_guide.render(), encoding="utf-8")
    states = synthesized_states(CONTRACT)
    for version, palette in PALETTES.items():
        picture = GUIDES / "images" / f"machine-{version}.svg"
        picture.write_text(draw(states, palette), encoding="utf-8")


if __name__ == "__main__":
    main()
