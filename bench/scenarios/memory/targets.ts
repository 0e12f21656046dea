import { serveCase } from '../../compare/serve/case.ts'
import type { TargetSpec } from '../../compare/targets.ts'
import { builtCli } from '../../lib/built-cli.ts'
import { startServe } from '../start-serve.ts'

const { serve, 'floor-request': floor } = serveCase(undefined).specs as Readonly<
  Record<'serve' | 'floor-request', TargetSpec>
>

/**
 * The targets: `headwaters serve` from its sources, whose types Node.js strips, as it is built for the package, and
 * `Pool.request` by hand.
 */
export const targets: Readonly<Record<string, TargetSpec>> = {
  serve,
  package: {
    label: 'Headwaters, built',
    start: (name, { origin }) =>
      startServe(
        name,
        new URL('../../compare/serve/definitions/plain.ts', import.meta.url),
        { HEADWATERS_UPSTREAM_FACTS_ORIGIN: origin },
        { cli: builtCli() },
      ),
  },
  'floor-request': floor,
}
