import { parseArgs } from 'node:util'
import type { Plan } from './measure.ts'
import { kinds } from './targets.ts'

export interface Options extends Plan {
  readonly print: 'tables' | 'json' | 'markdown'
  /** Where the chart goes. */
  readonly svg: string | undefined
}

const targetNames = Object.keys(kinds)

const help = `node bench/run.ts: CPU µs per upstream call of the service, of floors written by hand and of its peers

  --fanouts 1,5,20,100   fan-outs to measure, 1 to 100
  --rounds 15            windows of each target at each fan-out
  --ms 1000              length of a window
  --callers 32           concurrent inbound requests, 1 to 1000
  --targets a,b          of ${targetNames.join(', ')}
  --body-bytes 110       size of the upstream's body
  --filler fields        what the bytes of a body above 250 are: objects of six fields each, or one long string
  --delay-ms 0           time the upstream takes
  --slow-ms 0            time that the upstream takes for one call in a hundred
  --foreign 25           % of the target's core that others may have before a window counts for nothing
  --json                 print JSON, with every window
  --markdown             print tables for a page
  --svg FILE             write a chart of the ratios to Pool.request
  --help
`

/** The flags of `node bench/run.ts`; undefined when only help was asked for, which is then printed. */
export function readOptions (argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      fanouts: { type: 'string', default: '1,5,20,100' },
      rounds: { type: 'string', default: '15' },
      ms: { type: 'string', default: '1000' },
      callers: { type: 'string', default: '32' },
      targets: { type: 'string', default: targetNames.join(',') },
      'body-bytes': { type: 'string', default: '110' },
      filler: { type: 'string', default: 'fields' },
      'delay-ms': { type: 'string', default: '0' },
      'slow-ms': { type: 'string', default: '0' },
      foreign: { type: 'string', default: '25' },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      svg: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help)
    return undefined
  }

  const targets = values.targets.split(',')
  const unknown = targets.find(target => !targetNames.includes(target))
  if (unknown !== undefined) throw new Error(`--targets: '${unknown}' is none of ${targetNames.join(', ')}`)
  const { filler } = values
  if (filler !== 'fields' && filler !== 'string') throw new Error(`--filler: '${filler}' is neither fields nor string`)
  if (values.json && values.markdown) throw new Error('--json and --markdown: one of them is printed, not both')
  if (values.svg !== undefined && !targets.includes('floor-request')) throw new Error('--svg: the chart is relative to floor-request, which is not among --targets')

  return {
    targets,
    fanouts: values.fanouts.split(',').map(value => whole('--fanouts', value, 1, 100)),
    rounds: whole('--rounds', values.rounds, 1, 1000),
    windowMs: whole('--ms', values.ms, 50, 600_000),
    callers: whole('--callers', values.callers, 1, 1000),
    bodyBytes: whole('--body-bytes', values['body-bytes'], 32, 4_000_000),
    filler,
    delayMs: whole('--delay-ms', values['delay-ms'], 0, 60_000),
    slowMs: whole('--slow-ms', values['slow-ms'], 0, 60_000),
    foreignLimit: whole('--foreign', values.foreign, 1, 100) / 100,
    print: values.json ? 'json' : values.markdown ? 'markdown' : 'tables',
    svg: values.svg,
  }
}

function whole (flag: string, value: string, min: number, max: number) {
  const number = Number(value)
  if (value === '' || !Number.isInteger(number) || number < min || number > max) throw new Error(`${flag}: '${value}' is not a whole number from ${min} to ${max}`)
  return number
}
