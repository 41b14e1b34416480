/**
 * `grpc.health.v1.Health` as a descriptor that connect can serve. The gRPC project has fixed the service
 * (grpc/doc/health-checking.md), so its shape is written here instead of being generated from a copy of the file.
 */
import { create, createFileRegistry, type Message } from '@bufbuild/protobuf';
import type { GenMessage, GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

/** Values of HealthCheckResponse.ServingStatus. */
export const SERVING = 1;
export const SERVICE_UNKNOWN = 3;

type CheckRequest = Message<'grpc.health.v1.HealthCheckRequest'> & { service: string };
type CheckResponse = Message<'grpc.health.v1.HealthCheckResponse'> & { status: number };
type HealthService = GenService<{
  check: { methodKind: 'unary'; input: GenMessage<CheckRequest>; output: GenMessage<CheckResponse> };
  watch: {
    methodKind: 'server_streaming';
    input: GenMessage<CheckRequest>;
    output: GenMessage<CheckResponse>;
  };
}>;

const PACKAGE = 'grpc.health.v1';
const OPTIONAL = FieldDescriptorProto_Label.OPTIONAL;

const file = create(FileDescriptorProtoSchema, {
  name: 'grpc/health/v1/health.proto',
  package: PACKAGE,
  syntax: 'proto3',
  messageType: [
    {
      name: 'HealthCheckRequest',
      field: [{ name: 'service', number: 1, label: OPTIONAL, type: FieldDescriptorProto_Type.STRING }],
    },
    {
      name: 'HealthCheckResponse',
      field: [
        {
          name: 'status',
          number: 1,
          label: OPTIONAL,
          type: FieldDescriptorProto_Type.ENUM,
          typeName: `.${PACKAGE}.HealthCheckResponse.ServingStatus`,
        },
      ],
      enumType: [
        {
          name: 'ServingStatus',
          value: [
            { name: 'UNKNOWN', number: 0 },
            { name: 'SERVING', number: SERVING },
            { name: 'NOT_SERVING', number: 2 },
            { name: 'SERVICE_UNKNOWN', number: SERVICE_UNKNOWN },
          ],
        },
      ],
    },
  ],
  service: [
    {
      name: 'Health',
      method: ['Check', 'Watch'].map((name) => ({
        name,
        inputType: `.${PACKAGE}.HealthCheckRequest`,
        outputType: `.${PACKAGE}.HealthCheckResponse`,
        serverStreaming: name === 'Watch',
      })),
    },
  ],
});

/** The health service; its methods are `check` and `watch`. */
export const Health = healthService();

function healthService(): HealthService {
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService(
    `${PACKAGE}.Health`,
  );
  if (service === undefined) throw new Error('the descriptor of grpc.health.v1.Health holds no service');
  return service as HealthService;
}
