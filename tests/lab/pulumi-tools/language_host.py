#!/usr/bin/env python3
"""Pulumi's Python language host, where the official bundle cannot be had.

The engine starts it, reads its port from the first line and speaks `LanguageRuntime` (pulumi/language.proto) to it. It
serves up, preview, refresh, destroy and policy packs; it neither creates environments nor generates code. It and the
programs run in the environment of the Python that starts it: that one's folder is first in PATH.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from importlib import metadata
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2 as language
from pulumi.runtime.proto import language_pb2_grpc, plugin_pb2

PROGRAM = """
import asyncio, json, os, runpy, sys, traceback
from concurrent.futures import ThreadPoolExecutor
import pulumi, pulumi.runtime
order = json.load(sys.stdin)
program, settings = order["program"], order["settings"]
pulumi.runtime.set_all_config(order["config"], order["secret_keys"])
pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
sys.argv = [program, *order["args"]]
sys.path.insert(0, program if os.path.isdir(program) else os.path.dirname(program))
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
pool = ThreadPoolExecutor(max_workers=4 * max(settings["parallel"], 1))
loop.set_default_executor(pool)
try:
    loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__")))
except pulumi.RunError as error:
    pulumi.log.error(str(error))
    sys.exit(32)
except Exception:
    pulumi.log.error("Program failed with an unhandled exception:\\n" + traceback.format_exc())
    sys.exit(32)
finally:
    pool.shutdown(wait=True)
    loop.close()
"""
TOLD = 32
"""The exit status of a program that told the engine of its error itself."""

MESSAGE_BYTES = 400 << 20
"""The largest message of the engine, as in the official host."""


def resource_plugins() -> Iterator[dict[str, Any]]:
    """What the installed Pulumi SDKs say of themselves in their pulumi-plugin.json."""
    for package in metadata.distributions():
        if package.metadata["Name"].replace("_", "-").startswith("pulumi-"):
            for file in package.files or ():
                if file.name == "pulumi-plugin.json":
                    plugin = json.loads(file.read_text())
                    if plugin.get("resource"):
                        yield plugin


def order_of(request: Any, engine: str) -> dict[str, Any]:
    """What PROGRAM reads on its standard input, secrets included."""
    info = request.info
    return {
        "program": os.path.normpath(Path(info.program_directory) / (info.entry_point or ".")),
        "args": list(request.args),
        "config": dict(request.config),
        "secret_keys": list(request.configSecretKeys),
        "settings": {
            "monitor": request.monitor_address,
            "engine": engine,
            "project": request.project,
            "stack": request.stack,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization or "organization",
            "root_directory": info.root_directory,
        },
    }


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The methods that the engine calls; `engine` is its own address."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def Handshake(self, request, context):
        return language.LanguageHandshakeResponse()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def About(self, request, context):
        return language.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetRequiredPackages(self, request, context):
        return language.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(name=plugin["name"], kind="resource", version=f"v{plugin['version']}")
                for plugin in resource_plugins()
            ]
        )

    def GetProgramDependencies(self, request, context):
        return language.GetProgramDependenciesResponse(
            dependencies=[
                language.DependencyInfo(name=package.metadata["Name"], version=package.version)
                for package in metadata.distributions()
            ]
        )

    def InstallDependencies(self, request, context):
        yield language.InstallDependenciesResponse(stdout=b"dependencies come with the project's environment\n")

    def RuntimeOptionsPrompts(self, request, context):
        return language.RuntimeOptionsResponse()

    def Cancel(self, request, context):
        return empty_pb2.Empty()

    def Run(self, request, context):
        with subprocess.Popen(
            [sys.executable, "-u", "-c", PROGRAM],
            text=True,
            cwd=request.pwd or request.info.program_directory,
            stdin=subprocess.PIPE,
            stdout=sys.stderr,
        ) as child:
            context.add_callback(child.kill)
            child.communicate(json.dumps(order_of(request, self._engine)))
        if child.returncode == TOLD:
            return language.RunResponse(bail=True)
        status = child.returncode
        return language.RunResponse(error=f"the program ended with status {status}" if status else "")

    def RunPlugin(self, request, context):
        folder = request.info.program_directory
        analyzer = request.kind == "analyzer"
        start = ["-m", "pulumi.policy", *request.args, folder] if analyzer else [folder, *request.args]
        with subprocess.Popen(
            [sys.executable, "-u", *start],
            cwd=folder if analyzer else request.pwd,
            env=dict(word.split("=", 1) for word in request.env) or dict(os.environ),
            stdout=subprocess.PIPE,
        ) as child:
            context.add_callback(child.terminate)
            for chunk in iter(lambda: child.stdout.read1(65536), b""):
                yield language.RunPluginResponse(stdout=chunk)
        yield language.RunPluginResponse(exitcode=child.returncode)


def main() -> None:
    engine = next((word for word in reversed(sys.argv[1:]) if not word.startswith("-")), "")
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", MESSAGE_BYTES)]
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(engine), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    signal.signal(signal.SIGINT, lambda *_: server.stop(0))  # how the engine ends its plugins
    parent = os.getppid()
    while server.wait_for_termination(1) and os.getppid() == parent:
        pass  # an engine that was killed ends nobody
    server.stop(0)


if __name__ == "__main__":
    main()
