import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { caseNames, caseOf } from './cases.ts'
import type { Plan } from './measure/measure.ts'
import { readRows, usual } from './workload/row.ts'
import { checkAgainst } from './serve/target-specs.ts'

/** Output options of a result. */
export interface Output {
  readonly print: 'tables' | 'json' | 'markdown'
  /** The file to which the chart is written. */
  readonly svg: string | undefined
  /** True to write the pages and the chart of this checkout. */
  readonly write: boolean
  /** True to compare the ratios with the limits of the case `serve`. */
  readonly limits: boolean
}

/** Either a plan to measure, or the file of an earlier result. */
export type Options = Output &
  ({ readonly plan: Plan; readonly from?: undefined } | { readonly plan?: undefined; readonly from: string })

const help = `node bench/compare/run.ts: measures the CPU time per upstream call of the service, of hand-written floors and of peers

  --case serve           serve: headwaters serve at log level warn, with parameters and headers; app: an app without a log or parameters
  --fanouts 1,5,…        rows to measure: calls per request, 1 to 100; 20+10kb with bodies of 10 KB, 5+512callers with 512 callers
  --rounds 15            windows of each target in each row
  --ms 1000              length of a window
  --callers 32           concurrent inbound requests of a row without callers, 1 to 1000
  --body-bytes 110       size of the upstream's body in a row without a size
  --targets a,b          serve: ${Object.keys(caseOf('serve', '.').specs).join(', ')};
                         app: ${Object.keys(caseOf('app').specs).join(', ')}; the first is compared with the others
  --against DIR          another checkout, with its node_modules, as targets 'other', 'other-twin' and 'other-pipelining'
  --filler fields        content of a body above 250 bytes: fields (objects of six fields each), or string (one long string)
  --delay-ms 0           delay of the upstream
  --slow-ms 0            delay of the upstream for one call in a hundred
  --foreign 25           % of the target's core that other processes may use before a window is dropped
  --json                 print the result as JSON, with every window
  --from FILE            read a result of --json instead of measuring
  --markdown             print tables for a page
  --svg FILE             write a chart of the ratios to Pool.request
  --write                write tables and charts into bench/README.md, README.md and docs/images
  --limits               compare the ratios with the limits of the case serve; the exit code is 1 if one is exceeded
  --help
`

/**
 * Reads the command-line options of `node bench/compare/run.ts`. With `--help`, prints the help and returns
 * `undefined`.
 */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      case: { type: 'string', default: 'serve' },
      fanouts: { type: 'string' },
      rounds: { type: 'string', default: '15' },
      ms: { type: 'string', default: '1000' },
      callers: { type: 'string', default: String(usual.callers) },
      'body-bytes': { type: 'string', default: String(usual.bodyBytes) },
      targets: { type: 'string' },
      against: { type: 'string' },
      filler: { type: 'string', default: 'fields' },
      'delay-ms': { type: 'string', default: '0' },
      'slow-ms': { type: 'string', default: '0' },
      foreign: { type: 'string', default: '25' },
      json: { type: 'boolean', default: false },
      from: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      svg: { type: 'string' },
      write: { type: 'boolean', default: false },
      limits: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help)
    return undefined
  }
  if (values.json && values.markdown) throw new Error('--json and --markdown exclude each other: remove one of them')
  if (values.limits && (values.json || values.markdown))
    throw new Error(
      '--limits prints lines of its own: remove it, or read the JSON of the run with --from FILE --limits',
    )
  const output: Output = {
    print: values.json ? 'json' : values.markdown ? 'markdown' : 'tables',
    svg: values.svg,
    write: values.write,
    limits: values.limits,
  }
  if (values.from !== undefined) return { ...output, from: values.from }

  const plan = readPlan(values)
  if ((values.svg !== undefined || values.write) && !plan.targets.includes('floor-request'))
    throw new Error(
      `${values.write ? '--write' : '--svg'}: the chart is relative to floor-request, which is not among --targets: add it`,
    )
  if (values.limits && plan.case !== 'serve') throw new Error('--limits requires --case serve, which has the limits')
  if (values.write && plan.case !== 'serve') throw new Error('--write requires --case serve, which the pages show')
  return { ...output, plan }
}

type Values = Readonly<
  Record<'case' | 'rounds' | 'ms' | 'callers' | 'body-bytes' | 'filler' | 'delay-ms' | 'slow-ms' | 'foreign', string>
> & { readonly fanouts?: string; readonly targets?: string; readonly against?: string }

function readPlan(values: Values): Plan {
  const name = caseNames.find(each => each === values.case)
  if (name === undefined) throw new Error(`--case must be ${caseNames.join(' or ')}, got '${values.case}'`)
  if (values.against !== undefined && name !== 'serve') throw new Error('--against requires --case serve')
  const against = values.against === undefined ? undefined : resolve(values.against)
  if (against !== undefined) checkAgainst(against)
  const { specs, targets: usualTargets, rows } = caseOf(name, against)

  const targets = values.targets?.split(',') ?? usualTargets
  const unknown = targets.find(target => specs[target] === undefined)
  if (unknown !== undefined)
    throw new Error(`--targets: unknown target '${unknown}': use ${Object.keys(specs).join(', ')}`)
  const { filler } = values
  if (filler !== 'fields' && filler !== 'string') throw new Error(`--filler must be fields or string, got '${filler}'`)
  const defaults = {
    callers: whole('--callers', values.callers, 1, 1000),
    bodyBytes: whole('--body-bytes', values['body-bytes'], 32, 4_000_000),
  }

  return {
    case: name,
    against,
    targets,
    rows: readRows(values.fanouts ?? rows, defaults),
    rounds: whole('--rounds', values.rounds, 1, 1000),
    windowMs: whole('--ms', values.ms, 50, 600_000),
    filler,
    delayMs: whole('--delay-ms', values['delay-ms'], 0, 60_000),
    slowMs: whole('--slow-ms', values['slow-ms'], 0, 60_000),
    foreignLimit: whole('--foreign', values.foreign, 1, 100) / 100,
  }
}

function whole(flag: string, value: string, min: number, max: number) {
  const number = Number(value)
  if (value === '' || !Number.isInteger(number) || number < min || number > max)
    throw new Error(`${flag} must be a whole number from ${min} to ${max}, got '${value}'`)
  return number
}
