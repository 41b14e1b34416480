/** What the store may rely on of an API server, of the simulated one. */
import { SimulatedServer } from '../support/kubernetes/simulated-server.ts';
import { kubernetesObjectsContract } from './kubernetes-objects.ts';

kubernetesObjectsContract('a simulated server', async () => new SimulatedServer().connect());
