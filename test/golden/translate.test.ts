import { parse } from 'yaml';
import { bootstrap, type BootstrapOptions } from '../../src/xds/bootstrap.ts';
import { resourceToJson } from '../../src/xds/json.ts';
import type { TranslatedResource } from '../../src/xds/resource.ts';
import { translate } from '../../src/xds/translate/index.ts';
import { goldenCases } from '../support/golden-yaml.ts';
import { type RoutesFacts, serviceRoutes, table } from '../support/tables.ts';

function readable({ type, name, bytes, creationBytes, ...rest }: TranslatedResource): object {
  return {
    type,
    name,
    ...rest,
    message: resourceToJson(type, bytes),
    ...(creationBytes === undefined ? {} : { firstForm: resourceToJson(type, creationBytes) }),
  };
}

goldenCases({
  folder: 'test/golden/translate',
  stage: ({ text }) => {
    const facts = parse(text) as readonly RoutesFacts[];
    const { envoy, grpc } = translate(table(...facts.map(serviceRoutes)));
    return { envoy: envoy.map(readable), grpc: grpc.map(readable) };
  },
});

goldenCases({
  folder: 'test/golden/bootstrap',
  stage: ({ text }) => bootstrap(parse(text) as BootstrapOptions),
});
