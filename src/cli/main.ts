#!/usr/bin/env node
import { runApiserver } from './apiserver.js';
import { runCodec } from './codec.js';
import { runUp } from './up.js';

const USAGE = `porthole: a Kubernetes API server

Usage:
  porthole [up] [flags]        a ready control plane on 127.0.0.1
  porthole apiserver [flags]   kube-apiserver's own flags, for production
  porthole codec decode        protobuf, CBOR or YAML on stdin to JSON on stdout
  porthole codec encode --to protobuf|cbor|yaml
  porthole version

'porthole up --help' and 'porthole apiserver --help' list the flags.
`;

async function main(argv: readonly string[]): Promise<number> {
  const [command = 'up', ...rest] = argv;
  if (command.startsWith('-') && command !== '-h' && command !== '--help') return runUp(argv);
  switch (command) {
    case 'up':
      return runUp(rest);
    case 'apiserver':
      return runApiserver(rest);
    case 'codec':
      return runCodec(rest, process.stdin, process.stdout, process.stderr);
    case 'version':
      process.stdout.write('porthole 0.1.0 (Kubernetes 1.36)\n');
      return 0;
    case 'help':
    case '-h':
    case '--help':
      process.stdout.write(USAGE);
      return 0;
    default:
      process.stderr.write(`unknown command ${JSON.stringify(command)}\n\n${USAGE}`);
      return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
