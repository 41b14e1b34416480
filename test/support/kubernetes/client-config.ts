/** How tests' own clients reach an API server. */
import { KubeConfig } from '@kubernetes/client-node';

/** What a client reads of the kubeconfig. */
export function clientConfig(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}
