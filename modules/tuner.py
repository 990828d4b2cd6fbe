"""The search for hyperparameters: what TFX's Tuner calls."""

from typing import Any, Dict

import keras_tuner
from tfx import v1 as tfx

from modules.training import create_network, fit_arguments, fix_seed, read_training_data


def tuner_fn(fn_args: tfx.components.FnArgs) -> tfx.components.TunerFnResult:
    """Return a random search for the lowest validation loss, with the arguments of each fit.

    `fn_args.custom_config` is [training] of the settings, with `trials` of [tuning] and its `epochs`.
    """
    settings = fn_args.custom_config
    data = read_training_data(fn_args)

    def build(hyperparameters: keras_tuner.HyperParameters) -> Any:
        # Each trial trains as run_fn would with its hyperparameters.
        fix_seed(settings["seed"])
        return create_network(data, settings, declare_space(hyperparameters).values)

    oracle = DefaultsFirst(
        objective=keras_tuner.Objective("val_loss", "min"),
        max_trials=settings["trials"],
        seed=settings["seed"],
        hyperparameters=declare_space(keras_tuner.HyperParameters()),
    )
    tuner = keras_tuner.Tuner(oracle, build, directory=fn_args.working_dir, project_name="search")
    fit = fit_arguments(data, epochs=settings["epochs"], seed=settings["seed"])
    return tfx.components.TunerFnResult(tuner=tuner, fit_kwargs=fit)


class DefaultsFirst(keras_tuner.oracles.RandomSearchOracle):
    """A random search whose first trial takes the defaults, so that it never ends below them."""

    def populate_space(self, trial_id: str) -> Dict[str, Any]:
        if self.start_order:
            return super().populate_space(trial_id)
        values = self.get_space().values
        self._tried_so_far.add(self._compute_values_hash(values))
        return {"status": keras_tuner.engine.trial.TrialStatus.RUNNING, "values": values}


def declare_space(hyperparameters: keras_tuner.HyperParameters) -> keras_tuner.HyperParameters:
    """Add what is searched, and return it."""
    hyperparameters.Float("learning_rate", 1e-3, 4e-3, sampling="log", default=2e-3)
    hyperparameters.Choice("units", [16, 32, 64], default=32)
    hyperparameters.Choice("heads", [1, 2, 4], default=2)
    hyperparameters.Choice("dropout", [0.2, 0.3, 0.4, 0.5], default=0.3)
    hyperparameters.Choice("token_dropout", [0.1, 0.2, 0.3], default=0.2)
    return hyperparameters
