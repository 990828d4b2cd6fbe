# The head of a modules bundle: a single file that carries the package `modules` and imports from itself.
# TFX runs it by its path, where no `modules` folder and no Esteira need be. Written by esteira/jobs/bundle.py.
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import sys
import traceback

PACKAGE = "modules"
# Functions that TFX's components look up in a module file, and the module that each lives in.
ENTRY_POINTS = {
    "preprocessing_fn": "modules.preprocessing",
    "run_fn": "modules.model",
    "tuner_fn": "modules.tuner",
}


class BundleLoader(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader, importlib.abc.ResourceReader):
    """Finds and loads `modules` and all below it from the contents in this file: str where UTF-8."""

    def __init__(self, files, place, package=PACKAGE):
        self.files = files
        self.place = place
        self.package = package

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] != PACKAGE or self.source_path(fullname) is None:
            return None
        loader = BundleLoader(self.files, self.place, fullname)
        spec = importlib.util.spec_from_loader(fullname, loader, is_package=self.is_package(fullname))
        spec.origin = self.get_filename(fullname)
        spec.has_location = True
        return spec

    def source_path(self, fullname):
        stem = fullname.replace(".", "/")
        return next((path for path in (stem + "/__init__.py", stem + ".py") if path in self.files), None)

    def is_package(self, fullname):
        return self.source_path(fullname).endswith("/__init__.py")

    def get_filename(self, fullname):
        # No such file exists, so that tracebacks ask get_source and never read another version.
        return self.place + "/" + self.source_path(fullname)

    def get_source(self, fullname):
        return self.files[self.source_path(fullname)]

    def get_code(self, fullname):
        return compile(self.get_source(fullname), self.get_filename(fullname), "exec", dont_inherit=True)

    def get_data(self, path):
        prefix = self.place + "/"
        name = path[len(prefix) :] if path.startswith(prefix) else path
        if name not in self.files:
            raise FileNotFoundError(name + " is not in the modules bundle " + self.place)
        content = self.files[name]
        return content if isinstance(content, bytes) else content.encode("utf-8")

    def get_resource_reader(self, fullname):
        return self if self.is_package(fullname) else None

    def open_resource(self, resource):
        return io.BytesIO(self.get_data(self.package.replace(".", "/") + "/" + resource))

    def resource_path(self, resource):
        raise FileNotFoundError(resource)

    def is_resource(self, name):
        return self.package.replace(".", "/") + "/" + name in self.files

    def contents(self):
        prefix = self.package.replace(".", "/") + "/"
        return iter(sorted({path[len(prefix) :].split("/")[0] for path in self.files if path.startswith(prefix)}))


def install_bundle(files, place):
    """Make `import modules` mean this bundle, from now on in this process."""
    bundles = [finder for finder in sys.meta_path if type(finder).__name__ == "BundleLoader"]
    # TFX runs the file again for each function it looks up: what was imported must stay the same object.
    if any(bundle.files == files and bundle.place == place for bundle in bundles):
        return
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in bundles]
    sys.meta_path.insert(0, BundleLoader(files, place))
    if sys.excepthook is sys.__excepthook__:
        # The interpreter's own hook looks for source lines on disk only; this one asks get_source.
        sys.excepthook = traceback.print_exception
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def __getattr__(name):
    if name not in ENTRY_POINTS:
        raise AttributeError("the modules bundle has no " + name)
    return getattr(importlib.import_module(ENTRY_POINTS[name]), name)
