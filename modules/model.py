"""Training: what TFX's Trainer calls."""

from tfx import v1 as tfx

from modules import features
from modules.export import export_model
from modules.training import create_network, fit_arguments, fix_seed, read_training_data

SMOKE_TEXTS = 16


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Train the classifier and write it to `fn_args.serving_model_dir`.

    `fn_args.custom_config` is [training] of the settings, `fn_args.hyperparameters` what the
    Tuner wrote. Raises HubEncoderError if the chosen encoder cannot be loaded.
    """
    settings = fn_args.custom_config
    fix_seed(settings["seed"])
    data = read_training_data(fn_args)
    network = create_network(data, settings, fn_args.hyperparameters["values"])
    network.fit(**fit_arguments(data, epochs=settings["epochs"], seed=settings["seed"]))
    texts = data.evaluation.inputs[features.TEXT][:SMOKE_TEXTS].numpy().tolist()
    export_model(network, data.transform_output, data.labels, texts, fn_args.serving_model_dir)
