import { parseArgs } from 'node:util'

/**
 * The groups of callers. `healthy` and `mixed` need answers of the healthy upstream. The other groups attack the
 * service or call hostile upstreams.
 */
export const partNames = [
  'healthy',
  'mixed',
  'large',
  'cached',
  'tiny',
  'nested',
  'huge',
  'endless',
  'heads',
  'hanging',
  'resets',
  'slow',
  'readers',
  'bodies',
  'leaving',
] as const

export type PartName = (typeof partNames)[number]

export interface ChaosOptions {
  readonly seconds: number
  /** Size of the V8 old space of each process of the service, in MB. */
  readonly heap: number
  readonly workers: number
  /** Maximum number of requests of healthy callers per second. */
  readonly rate: number
  readonly parts: readonly PartName[]
}

export const help = `Runs \`headwaters serve\` with a small heap. Upstreams attack it, and callers do not read their replies. Fails if the
service exits, hangs, mixes up replies, or answers too few of the requests that need only healthy upstreams.

Usage: npm run chaos -- [options]

  --seconds N     duration of the load (default 600)
  --heap N        old space of each process of the service, in MB (default 96)
  --workers N     processes that serve (default 1)
  --rate N        the maximum of healthy requests per second; at most a fifth of the capacity without attacks (default 100)
  --only LIST     healthy and only these parts, separated by commas
  --without LIST  all parts except these, separated by commas
  --help          prints this

Parts: ${partNames.join(', ')}
`

/**
 * Reads the options of the command line. Returns `undefined` with `--help`. Throws a TypeError that names the invalid
 * option.
 */
export function readOptions(args: readonly string[]): ChaosOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '600' },
      heap: { type: 'string', default: '96' },
      workers: { type: 'string', default: '1' },
      rate: { type: 'string', default: '100' },
      only: { type: 'string' },
      without: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  if (values.only !== undefined && values.without !== undefined)
    throw new TypeError('--only and --without exclude each other: remove one of them')
  const only = values.only === undefined ? partNames : ['healthy', ...partsOf('only', values.only)]
  const without = partsOf('without', values.without ?? '')
  return {
    seconds: whole('seconds', values.seconds),
    heap: whole('heap', values.heap),
    workers: whole('workers', values.workers),
    rate: whole('rate', values.rate),
    parts: partNames.filter(name => only.includes(name) && (name === 'healthy' || !without.includes(name))),
  }
}

function partsOf(option: string, list: string): readonly string[] {
  const names = list.split(',').filter(name => name !== '')
  for (const name of names)
    if (!(partNames as readonly string[]).includes(name))
      throw new TypeError(`--${option}: unknown part '${name}': use ${partNames.join(', ')}`)
  return names
}

function whole(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new TypeError(`--${option} must be a whole number above 0, got '${text}'`)
}
