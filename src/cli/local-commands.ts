/** The commands that main carries out, since they need adapters; and their flags as parsed. */
import type { ExitCode } from './exit.ts';
import type { ClusterChoice } from './place.ts';
import type { Context, Tunnel } from './shell.ts';

/** A host and a port, as parsed from `host:port`. */
export interface AddressFlag {
  readonly host: string;
  readonly port: number;
}

export interface ControllerFlags {
  readonly dataDir?: string;
  readonly store: 'file' | 'memory';
  readonly xdsAddress: AddressFlag;
  readonly httpAddress: AddressFlag;
  /** Where watchers connect; absent: nowhere. */
  readonly watcherAddress?: AddressFlag;
  /** Runs as one of several replicas on Kubernetes, with the state in custom resources. */
  readonly kubernetes?: boolean;
  /** Where replicas reach each other there. */
  readonly replicaAddress: AddressFlag;
  /** Absent: no refusal backend is served. */
  readonly refusalAddress?: AddressFlag;
  readonly adminSocket?: string;
  readonly adminAddress?: string;
  readonly allowCommands?: boolean;
  readonly acceptEmpty?: boolean;
  /** What webhooks are signed with; absent: they are not signed. */
  readonly webhookSecretFile?: string;
  /** Milliseconds. */
  readonly proxyGrace: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export interface RestoreFlags {
  readonly dataDir?: string;
  readonly yes?: boolean;
}

export interface WatcherFlags {
  readonly config: string;
  readonly proveWithin: number;
  readonly logLevel: ControllerFlags['logLevel'];
  /** It is the process that the launcher started. */
  readonly agent?: boolean;
}

export interface AdoptFlags {
  /** Of the Service: its number or its name. */
  readonly port?: string;
  /** Names of findings. */
  readonly waive?: readonly string[];
  readonly complete?: boolean;
  readonly undo?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** Milliseconds. */
  readonly settle: number;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface UninstallFlags {
  readonly waiveOpenWork?: boolean;
  readonly withGateway?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface LocalCommands {
  /** Runs until it is told to stop. */
  controller(context: Context, flags: ControllerFlags): Promise<ExitCode>;
  /** Runs until it is told to stop; delegates go on. */
  watcher(context: Context, flags: WatcherFlags): Promise<ExitCode>;
  restore(context: Context, backup: string, flags: RestoreFlags): Promise<ExitCode>;
  /** Port-forwards to a replica of the controller. Rejects with CliError where that cannot be. */
  openTunnel(cluster: ClusterChoice): Promise<Tunnel>;
  /** Takes what runs on Kubernetes as the first version of a service. */
  adopt(
    context: Context,
    wish: { readonly target: string; readonly version: string | undefined },
    flags: AdoptFlags,
  ): Promise<ExitCode>;
  uninstall(context: Context, flags: UninstallFlags): Promise<ExitCode>;
}
