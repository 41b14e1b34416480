"""Writes Envoy's API as one FileDescriptorSet.

Enters: a list of .proto paths and, installed in this Python, the package xds-protos, which carries the compiled
descriptors but no .proto files. Leaves: a binary FileDescriptorSet of these files and all that they import, each
file after its imports, which `buf generate` takes as its input.
"""

import importlib
import sys

from google.protobuf import descriptor_pb2

# Boolean fields that Envoy 1.40 has (its binary carries the descriptors) and xds-protos does not have yet.
NEWER_FIELDS = {"envoy.config.route.v3.RetryPolicy": [("refresh_cluster_on_retry", 14)]}


def module_name(proto_path):
    """The Python module that xds-protos generated from a .proto path."""
    return proto_path.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"


def collect(descriptor, into):
    """Adds a file to `into` (name -> FileDescriptorProto), its imports first."""
    if descriptor.name in into:
        return
    for dependency in descriptor.dependencies:
        collect(dependency, into)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    add_newer_fields(proto)
    into[descriptor.name] = proto


def add_newer_fields(proto):
    """Adds the fields of NEWER_FIELDS to the messages of a file that lack them."""
    for message in proto.message_type:
        known = {field.name for field in message.field}
        for name, number in NEWER_FIELDS.get(f"{proto.package}.{message.name}", ()):
            if name not in known:
                message.field.add(
                    name=name,
                    number=number,
                    type=descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
                    label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
                )


def wanted(list_path):
    with open(list_path, encoding="utf-8") as lines:
        for line in lines:
            path = line.split("#")[0].strip()
            if path:
                yield path


def main(list_path, output_path):
    files = {}
    for path in wanted(list_path):
        try:
            collect(importlib.import_module(module_name(path)).DESCRIPTOR, files)
        except ModuleNotFoundError as error:
            sys.exit(f"{list_path}: {path} is not in the installed xds-protos ({error})")
    with open(output_path, "wb") as output:
        output.write(descriptor_pb2.FileDescriptorSet(file=files.values()).SerializeToString())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: envoy_descriptors.py LIST OUTPUT")
    main(*sys.argv[1:])
