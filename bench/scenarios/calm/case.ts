import { fileURLToPath } from 'node:url'
import type { Case } from '../../compare/case.ts'
import { serveCase } from '../../compare/serve/case.ts'
import { startServer } from '../../compare/serve/program.ts'
import { startServe } from '../start-serve.ts'

const usual = serveCase(undefined)

/** `headwaters serve` and `Pool.request` by hand at low load, without a limit that delays a call. */
export const calmCase: Case = {
  ...usual,
  specs: {
    serve: {
      label: 'Headwaters',
      start: (name, { origin }) =>
        startServe(name, new URL('./definitions.ts', import.meta.url), {
          HEADWATERS_UPSTREAM_FACTS_ORIGIN: origin,
          LOG_LEVEL: 'warn',
        }),
    },
    'floor-request': {
      label: 'Pool.request',
      start: (name, { origin, log }) =>
        startServer(
          name,
          () => [process.execPath, fileURLToPath(new URL('./floor.ts', import.meta.url))],
          { UPSTREAM: origin },
          log,
        ),
    },
  },
  targets: ['serve', 'floor-request'],
}
