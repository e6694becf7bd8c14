"""What ends a training early, so that another one goes on."""

from openke.config import Callback


class StopAt(Callback):
    """Stops a training after so many epochs, whatever was asked for."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, trainer, record):
        if trainer.epoch == self.epoch:
            trainer.stop("enough")
