import { parseArgs } from 'node:util'
import { targetNames } from './settings.ts'

export interface Options {
  readonly targets: readonly string[]
  readonly fanouts: readonly number[]
  readonly rounds: number
  readonly windowMs: number
  readonly callers: number
  readonly bodyBytes: number
  readonly delayMs: number
  readonly json: boolean
}

const help = `node bench/run.ts: CPU µs per upstream call of the service against two hand-written floors

  --fanouts 1,5,20,100   fan-outs to measure, 1 to 100
  --rounds 7             windows of each target at each fan-out
  --ms 1500              length of a window
  --callers 32           concurrent inbound requests
  --targets a,b          of ${targetNames.join(', ')}
  --body-bytes 110       size of the upstream's body
  --delay-ms 0           time the upstream takes
  --json                 print JSON instead of tables
  --help
`

/** The flags of `node bench/run.ts`; undefined when only help was asked for, which is then printed. */
export function readOptions (argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      fanouts: { type: 'string', default: '1,5,20,100' },
      rounds: { type: 'string', default: '7' },
      ms: { type: 'string', default: '1500' },
      callers: { type: 'string', default: '32' },
      targets: { type: 'string', default: targetNames.join(',') },
      'body-bytes': { type: 'string', default: '110' },
      'delay-ms': { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
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

  return {
    targets,
    fanouts: values.fanouts.split(',').map(value => whole('--fanouts', value, 1, 100)),
    rounds: whole('--rounds', values.rounds, 1, 1000),
    windowMs: whole('--ms', values.ms, 50, 600_000),
    callers: whole('--callers', values.callers, 1, 1000),
    bodyBytes: whole('--body-bytes', values['body-bytes'], 32, 4_000_000),
    delayMs: whole('--delay-ms', values['delay-ms'], 0, 60_000),
    json: values.json,
  }
}

function whole (flag: string, value: string, min: number, max: number) {
  const number = Number(value)
  if (value === '' || !Number.isInteger(number) || number < min || number > max) throw new Error(`${flag}: '${value}' is not a whole number from ${min} to ${max}`)
  return number
}
