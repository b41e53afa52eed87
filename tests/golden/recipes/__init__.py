"""What is recorded: for each package what to install, how it is switched on, and the calls that are made."""

from __future__ import annotations

from typing import Final

from tests.golden.recipes import frameworks, instrumentors, langchain, orchestrators, platforms, servers
from tests.golden.recipes.recipe import Recipe

RECIPES: Final[dict[str, Recipe]] = {
    **instrumentors.RECIPES,
    **platforms.RECIPES,
    **frameworks.RECIPES,
    **langchain.RECIPES,
    **orchestrators.RECIPES,
    **servers.RECIPES,
}

__all__ = ["RECIPES", "Recipe"]
