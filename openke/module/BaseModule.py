"""What OpenKE calls BaseModule, under the path its users import it from."""  # noqa: N999

from openke.module.model.parameters import Parameters as BaseModule

__all__ = ["BaseModule"]
