import { RELEASE } from '../controlplane.js';
import { versionInfo } from '../server/discovery/version.js';
import { apiserverFlags } from './apiserver-flags.js';
import { apiserverOptions } from './apiserver-options.js';
import { DISPOSITIONS, NOTES } from './flag-dispositions.js';
import { flagValues } from './flag-values.js';
import { FlagError, type FlagSpec, parseFlags } from './pflag.js';
import { serve } from './serve.js';

/** `porthole apiserver`: the flags of kube-apiserver. */
export async function runApiserver(argv: readonly string[]): Promise<number> {
  const specs = apiserverFlags();
  try {
    const { values, args } = parseFlags(argv, specs);
    if (values.get('help')) {
      process.stdout.write(help(specs));
      return 0;
    }
    const version = values.get('version');
    if (version !== undefined && version !== 'false') {
      process.stdout.write(`Kubernetes ${versionInfo(RELEASE).gitVersion}\n`);
      return 0;
    }
    if (args.length > 0) throw new FlagError(`unknown command ${JSON.stringify(args[0])} for "porthole apiserver"`);
    const { options, warnings } = apiserverOptions(values);
    for (const text of warnings) process.stderr.write(`porthole: warning: ${text}\n`);
    return await serve({ ...options, controllers: options.controllers ?? [], flags: flagValues(specs, values) }, (cp) =>
      process.stderr.write(`porthole: serving ${cp.url}\n`),
    );
  } catch (e) {
    if (!(e instanceof FlagError)) throw e;
    process.stderr.write(`porthole: ${e.message}\n`);
    return 1;
  }
}

function help(specs: readonly FlagSpec[]): string {
  const lines = specs.map((s) => {
    const fate = DISPOSITIONS[s.name];
    const note = fate
      ? 'refuse' in fate
        ? ` (refused: ${fate.refuse})`
        : ` (no effect: ${fate.warn})`
      : NOTES[s.name]
        ? ` (${NOTES[s.name]})`
        : '';
    return `  --${s.name} ${s.type === 'bool' ? '' : s.type}`.padEnd(52) + s.usage + note;
  });
  return `Usage: porthole apiserver [flags]\n\n${lines.join('\n')}\n`;
}
