import { ScriptedProxies } from '../support/admin/proxies.ts';
import { publisherContract } from './publisher.ts';

publisherContract('the scripted proxies of the tests', async () => {
  const proxies = new ScriptedProxies();
  return {
    publisher: proxies,
    connect: (id, speed) => proxies.connect(id, speed),
    connectAgain(id) {
      proxies.connect(`${id}#2`, 'prompt');
      return `${id}#2`;
    },
    acknowledge: (id) => proxies.acknowledge(id),
    reject: (id, message) => proxies.reject(id, message),
    disconnect: (id) => proxies.disconnect(id),
    close: async () => undefined,
  };
});
