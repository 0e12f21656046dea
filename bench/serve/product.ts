import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Listening } from '../child.ts'
import { startServer } from './program.ts'
import type { Surroundings } from '../targets.ts'

/** This checkout. */
export const own = join(import.meta.dirname, '../..')

/** Starts `headwaters serve` of a checkout as its users do: all defaults, the upstream's origin from the environment. */
export function startProduct (checkout: string, definitions: 'plain' | 'pipelining') {
  return (name: string, { origin, log }: Surroundings): Promise<Listening> => {
    const file = `bench/serve/definitions/${definitions}.ts`
    // Options may have other names there; a checkout from before this case takes the file of this one.
    const path = [checkout, own].map(root => join(root, file)).find(existsSync) ?? file
    return startServer(name, () => [process.execPath, join(checkout, 'src/cli.ts'), 'serve', path], { HEADWATERS_UPSTREAM_FACTS_ORIGIN: origin }, log)
  }
}

/** Returns why `headwaters serve` of a folder cannot be started, or nothing. */
export function productMissing (checkout: string): string | undefined {
  if (!existsSync(join(checkout, 'src/cli.ts'))) return `${checkout} is not a checkout: it has no src/cli.ts`
  if (!existsSync(join(checkout, 'node_modules'))) return `${checkout} has no node_modules: run npm ci there`
  return undefined
}
