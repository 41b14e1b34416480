import { WireProxy } from '../support/wire-proxy.ts';
import { startXdsWorld } from '../support/xds-world.ts';
import { publisherContract } from './publisher.ts';

publisherContract('the xDS publisher', async () => {
  const world = await startXdsWorld();
  const proxies = new Map<string, WireProxy>();
  const proxy = (id: string): WireProxy => {
    const found = proxies.get(id);
    if (found === undefined) throw new Error(`no proxy ${id} is connected`);
    return found;
  };
  return {
    publisher: world.publisher,
    connect: (id, speed) => void proxies.set(id, new WireProxy({ port: world.server.port, id, speed })),
    connectAgain(id) {
      proxies.set(`${id}#2`, new WireProxy({ port: world.server.port, id, speed: 'prompt' }));
      return `${id}#2`;
    },
    acknowledge: (id) => proxy(id).acknowledge(),
    reject: (id, message) => proxy(id).rejectRoutes(message),
    disconnect: (id) => proxy(id).close(),
    async close() {
      for (const connected of proxies.values()) connected.close();
      await world.close();
    },
  };
});
