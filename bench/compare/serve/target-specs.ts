import { accounted } from '../../lib/process-files.ts'
import type { TargetSpec } from '../targets.ts'
import { goMissing, goVersion } from '../app/peers/go.ts'
import { startGo } from './peers/go.ts'
import { nginxMissing, nginxVersion, startNginx } from './peers/nginx.ts'
import { startNode } from './peers/node.ts'
import { rustMissing, rustVersion, startRust } from './peers/rust.ts'
import { own, productMissing, startProduct, versionOf } from './checkout.ts'

/** Returns the targets of this case by name. With `against`, they include the checkout in that folder. */
export function targetSpecs(against: string | undefined): Readonly<Record<string, TargetSpec>> {
  const kinds: Readonly<Record<string, TargetSpec>> = {
    serve: { label: 'Headwaters', start: startProduct(own, 'plain') },
    'serve-info': { label: 'Headwaters, a log line per run', start: startProduct(own, 'plain', 'info') },
    'serve-pipelining': { label: 'Headwaters, pipelining 10', start: startProduct(own, 'pipelining') },
    ...(against !== undefined && {
      other: {
        label: 'other checkout',
        start: startProduct(against, 'plain'),
        version: async () => versionOf(against),
      },
      'other-twin': { label: 'other checkout, a second process', start: startProduct(against, 'plain') },
      'other-pipelining': {
        label: 'other checkout, pipelining 10',
        start: startProduct(against, 'pipelining'),
        version: async () => versionOf(against),
      },
    }),
    'floor-request': { label: 'Pool.request', start: startNode('floor-request') },
    'floor-dispatch': { label: 'pool.dispatch', start: startNode('floor-dispatch') },
    'fetch-zod': { label: 'Fastify + fetch + zod', start: startNode('fetch-zod') },
    go: {
      label: 'Go net/http',
      start: startGo,
      missing: goMissing,
      version: async () => (await goVersion())?.replace('go', ''),
    },
    rust: {
      label: 'Rust hyper',
      start: (name, environment) => startRust(name, environment),
      missing: rustMissing,
      version: rustVersion,
    },
    'rust-pipelining': {
      label: 'Rust tokio, pipelining 10',
      start: (name, environment) => startRust(name, environment, 10),
      missing: rustMissing,
      version: rustVersion,
    },
    nginx: { label: 'nginx + Lua', start: startNginx, missing: nginxMissing, version: nginxVersion },
  }
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [name, { ...kind, missing: () => missing(kind) }]),
  )
}

/** Throws if a folder cannot be measured as another checkout. */
export function checkAgainst(folder: string): void {
  const reason = productMissing(folder)
  if (reason !== undefined) throw new Error(`--against: ${reason}`)
}

/**
 * Returns the reason why a target cannot be measured on this machine, or `undefined`. The targets of this case do not
 * report their usage, so the machine needs `/proc`.
 */
async function missing(kind: TargetSpec) {
  return accounted ? kind.missing?.() : 'the CPU time of a process cannot be measured on this machine'
}
