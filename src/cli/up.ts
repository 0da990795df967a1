import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { ControlPlane } from '../controlplane.js';
import { flagValues } from './flag-values.js';
import { FlagError, type FlagSpec, type FlagValue, parseFlags } from './pflag.js';
import { serve } from './serve.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'data-dir', type: 'string', usage: 'where everything lives (default ~/.porthole)' },
  { name: 'memory', type: 'bool', usage: 'keep everything in memory; nothing outlives the process' },
  { name: 'bind-address', type: 'ip', usage: 'address to listen on (default 127.0.0.1)' },
  { name: 'secure-port', type: 'int', usage: 'port to listen on, 0 for a free one (default 6443)' },
  { name: 'kubeconfig', type: 'string', usage: 'where to write the kubeconfig (default <data-dir>/kubeconfig)' },
  { name: 'service-cluster-ip-range', type: 'string', usage: 'CIDR of service addresses (default 10.0.0.0/24)' },
  { name: 'enable-admission-plugins', type: 'strings', usage: 'plugins to turn on' },
  { name: 'disable-admission-plugins', type: 'strings', usage: 'plugins to turn off' },
  { name: 'feature-gates', type: 'map', usage: 'Name=true,Other=false' },
  { name: 'runtime-config', type: 'map', usage: 'API versions to turn on and off, api/all=true' },
  { name: 'token-auth-file', type: 'string', usage: 'static tokens: token,user,uid,"group1,group2"' },
  { name: 'controllers', type: 'strings', usage: "loops to run: '*' (default), names, -name to leave one out" },
  { name: 'help', type: 'bool', shorthand: 'h', usage: 'this text' },
];

/** `porthole` and `porthole up`: a ready control plane, and what to type next. */
export async function runUp(argv: readonly string[]): Promise<number> {
  try {
    const { values, args } = parseFlags(argv, FLAGS);
    if (values.get('help')) {
      process.stdout.write(`Usage: porthole up [flags]\n\n${FLAGS.map(helpLine).join('\n')}\n`);
      return 0;
    }
    if (args.length > 0) throw new FlagError(`unknown argument ${JSON.stringify(args[0])}`);
    return await up(values);
  } catch (e) {
    if (!(e instanceof FlagError)) throw e;
    process.stderr.write(`porthole: ${e.message}\n`);
    return 1;
  }
}

function up(values: ReadonlyMap<string, FlagValue>): Promise<number> {
  const get = <T extends FlagValue>(name: string): T | undefined => values.get(name) as T | undefined;
  const memory = get<boolean>('memory') ?? false;
  const directory = resolve(get<string>('data-dir') ?? join(homedir(), '.porthole'));
  const range = get<string>('service-cluster-ip-range');
  const tokens = get<string>('token-auth-file');
  return serve(
    {
      dataDir: memory ? undefined : directory,
      host: get('bind-address'),
      port: get<number>('secure-port') ?? 6443,
      serviceClusterIpRanges: range?.split(','),
      enableAdmissionPlugins: get<string[]>('enable-admission-plugins'),
      disableAdmissionPlugins: get<string[]>('disable-admission-plugins'),
      featureGates: get('feature-gates'),
      runtimeConfig: get('runtime-config'),
      authentication: tokens ? { tokenAuthFile: tokens } : undefined,
      controllers: get<string[]>('controllers') ?? ['*'],
      flags: flagValues(FLAGS, values),
    },
    (controlPlane) => {
      const path = resolve(get<string>('kubeconfig') ?? join(directory, 'kubeconfig'));
      writeKubeconfigFile(path, controlPlane.kubeconfig);
      process.stdout.write(welcome(controlPlane, path, memory ? 'memory' : directory));
    },
  );
}

function writeKubeconfigFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

function welcome(controlPlane: ControlPlane, kubeconfig: string, state: string): string {
  return `Kubernetes 1.36 control plane at ${controlPlane.url}, state in ${state}

  export KUBECONFIG=${kubeconfig}
  kubectl get namespaces

Stop with Ctrl-C.
`;
}

function helpLine(spec: FlagSpec): string {
  return `  --${spec.name} ${spec.type === 'bool' ? '' : spec.type}`.padEnd(40) + spec.usage;
}
