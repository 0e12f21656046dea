import { serviceText } from '../../../src/commands/check.ts'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldsHelp } from '../../../src/commands/run/input-fields.ts'
import { drawScreen, type Progress } from '../../../src/commands/load/live-screen.ts'
import { createMetrics } from '../../../src/commands/load/metrics.ts'
import { readLoadOptions, type LoadOptions } from '../../../src/commands/load/options.ts'
import { formatReport } from '../../../src/commands/load/report.ts'
import { createResult } from '../../../src/commands/load/result.ts'
import { waterfall } from '../../../src/commands/run/waterfall.ts'
import { errors } from '../../../src/errors.ts'
import { explain } from '../../../src/explain/explain.ts'
import { explanationText } from '../../../src/explain/explanation-text.ts'
import { breed } from '../../../src/routes/breed.ts'
import { aggregates } from '../../../src/routes/index.ts'
import { listenAt } from '../../../src/server/process/listen.ts'
import { runViewAfter } from '../../helpers/run-view-after.ts'
import { originLines } from './origins-text.ts'
import { root } from './pages.ts'
import { lineFaults, sentEventFaults } from './stream-text.ts'
import { unqueuedCallText } from './unqueued-call.ts'

/** The sources of the built-in upstreams, which have the path templates of their operations. */
const clients = readdirSync(join(root, 'src/clients'))
  .map(file => readFileSync(join(root, 'src/clients', file), 'utf8'))
  .join('\n')

const redisSources = readdirSync(join(root, 'src/redis'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => readFileSync(join(root, 'src/redis', file), 'utf8'))
  .join('\n')

/** Commands of Redis that a client sends by itself when it connects. */
const connecting = ['hello', 'auth', 'select', 'client|setname']

/** True for a command of Redis that the sources or the client send. */
const isSent = (name: string) => connecting.includes(name) || new RegExp(`\\b${name}\\b`, 'i').test(redisSources)

/** A kind of text that pages show, and the check that it is what the code prints. */
interface TextKind {
  readonly name: string
  readonly isOf: (text: string) => boolean
  /** Returns what is wrong. */
  readonly faults: (text: string) => string[] | Promise<string[]>
}

/** Returns a line with each number, bar and name of a step as one mark, so that only the fixed words remain. */
const shapeOf = (line: string) =>
  line
    .replaceAll(/https?:\S+/g, 'URL')
    .replaceAll(/[━─]+/g, '━')
    .replaceAll(/[▁▂▃▄▅▆▇█]+/g, '█')
    .replaceAll(/\d+(?:\.\d+)?/g, '0')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Returns the lines of a text whose shape none of the printed lines has. */
function unprinted(text: string, printed: readonly string[]): string[] {
  const shapes = new Set(printed.map(shapeOf))
  return text.split('\n').filter(line => !shapes.has(shapeOf(line)))
}

const loadOptions = (...args: readonly string[]) =>
  readLoadOptions(['http://127.0.0.1:3000/v1/cat-facts', '--rate', '200', ...args]) as LoadOptions

/** The progress of a run of 32 s in which each class of reply has come. */
function loadProgress(): Progress {
  const options = loadOptions('--duration', '30s')
  const { metrics, observer, takeInterval } = createMetrics(0, 40_000)
  const request = { dueAt: 1000, sentAt: 1001, sendableAt: 1000 }
  for (const outcome of [
    { status: 200, reply: 'whole', bytes: 9_600_000 },
    { status: 200, reply: 'partial', bytes: 1 },
    { status: 502, reply: 'failed', bytes: 1 },
    { status: 503, reply: 'refused', bytes: 1 },
    { status: 504, reply: 'failed', bytes: 1 },
  ] as const) {
    observer.onSent(request)
    observer.onEnded(request, 1050, outcome)
  }
  return { options, metrics, elapsedMs: 23_000, inFlight: 13, waiting: 0, lastSecond: takeInterval(), p99History: [1] }
}

/** Every line that the live view and the report of a load test can have, but for the statuses. */
function loadLines(): string[] {
  const progress = loadProgress()
  const result = createResult(progress.metrics, progress.options, {
    durationMs: 30_000,
    busy: 0.1,
    isInterrupted: false,
  })
  return [
    ...drawScreen(progress, 80, { color: false, unicode: true }),
    ...formatReport(result).split('\n'),
    ...formatReport({ ...result, waited: 1833 }).split('\n'),
  ]
}

const statusLine = /^statuses +(?:\d{3}: \d+(?:, )?)+$/

/** The rows of the waterfall that a run can have; a row begins with the name of its step. */
function waterfallLines(): string[] {
  const steps = [
    [0, 'step started', { step: 0 }],
    [250, 'step ended', { step: 0, state: 'ok' }],
  ] as const
  return waterfall(runViewAfter(steps), { now: 500, columns: 80, color: false, unicode: true })
}

const stateRow =
  /^[\w-]+ +(?:running|waiting|ok|partial|stale|fallback|failed|skipped|cancelled) +[━═┄─!×]* *│(?: +[\d/+]+)?(?: +\d+)(?: +[\d.]+)$/

const kinds: readonly TextKind[] = [
  {
    name: 'the report or the live view of a load test',
    isOf: text => /^percentile +ms from|^(?:open|closed) loop/m.test(text),
    faults: text => unprinted(text, loadLines()).filter(line => !statusLine.test(line)),
  },
  {
    name: 'a waterfall of a run',
    isOf: text => /^step +state/m.test(text),
    faults: text =>
      unprinted(text, [
        ...waterfallLines(),
        ...aggregates.map(({ name, route }) => `${name} ${route.method} ${route.url}`),
      ]).filter(line => !stateRow.test(line)),
  },
  {
    name: 'the explanation of breed',
    isOf: text => text.startsWith('breed  GET'),
    async faults(text) {
      const options = { overrides: {}, variableOf: () => undefined }
      const explanation = await explain(breed, { params: { breed: 'siamese' } }, options)
      return explanationText(explanation).trim() === text.trim() ? [] : [text]
    },
  },
  {
    name: 'the origins of an upstream in an explanation',
    isOf: text => /^ {4}origin http/m.test(text),
    faults: async text => unprinted(text, await originLines()),
  },
  {
    // test/redis/acl.test.ts creates this user, and uses all state with it.
    name: 'the commands of a user of Redis',
    isOf: text => text.startsWith('user headwaters '),
    faults: text => Array.from(text.matchAll(/ \+(\S+)/g), ([, name = '']) => name).filter(name => !isSent(name)),
  },
  {
    name: 'the fields of an aggregate',
    isOf: text => text.startsWith('Fields of '),
    faults: text => (aggregates.some(aggregate => fieldsHelp(aggregate).trim() === text.trim()) ? [] : [text]),
  },
  {
    name: 'the output of headwaters check',
    isOf: text => /^\d+ aggregates?$/m.test(text),
    faults(text) {
      const lines = text.trim().split('\n')
      const at = lines.findIndex(line => /^\d+ upstreams?$/.test(line))
      const isEntry = (line: string) => line.startsWith('  ')
      const upstreams = lines
        .slice(at)
        .filter(isEntry)
        .map(line => /^ {2}(?<name>[\w-]+): (?<origin>\S+?)(?<off> \(off\))?$/.exec(line)?.groups ?? {})
        .map(({ name = '', origin = '', off }) => ({ name, origin, isOff: off !== undefined }))
      const routes = lines
        .slice(0, at)
        .filter(isEntry)
        .map(line => line.trim())
      const { operations, own } = /^batch: (?<operations>\d+) \w+, (?<own>\d+) \w+$/m.exec(text)?.groups ?? {}
      const batch = operations === undefined ? undefined : { operations: Number(operations), aggregates: Number(own) }
      const printed = serviceText({ aggregates: routes, upstreams, batch, workers: 1 })
      return printed.trim() === text.trim() ? [] : [text]
    },
  },
  {
    name: 'a failure to listen',
    isOf: text => text.startsWith('headwaters: cannot listen'),
    async faults(text) {
      const { code } = /\((?<code>E[A-Z]+)\)/.exec(text)?.groups ?? {}
      const listen = () => Promise.reject(Object.assign(new Error('no listener'), { code }))
      const message = await listenAt({ host: '127.0.0.1', port: 3000 }, listen).catch((error: Error) => error.message)
      return text.trim() === `headwaters: ${message}` ? [] : [text]
    },
  },
  {
    name: 'the error of a call for which nothing is queued',
    isOf: text => text.includes(', for which nothing is queued'),
    async faults(text) {
      const place = /called at (?<place>.*)/.exec(text)?.groups?.place ?? ''
      return text.trim() === (await unqueuedCallText(place)) ? [] : [text]
    },
  },
  {
    name: 'a diagram of the stages of a request, which names folders and codes',
    isOf: text => /[┌├└]/.test(text) && text.includes('►'),
    faults: text => [
      ...(text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []).filter(code => !(code in errors)),
      ...(text.match(/\b[a-z]+\/[a-z-]+(?:\.ts)?\b/g) ?? []).filter(path => !existsSync(join(root, 'src', path))),
    ],
  },
  {
    name: 'a tree of the spans of a built-in aggregate',
    isOf: text => /\bSERVER$/m.test(text),
    faults(text) {
      const steps = aggregates.flatMap(({ steps: declared }) => declared.map(({ name }) => name))
      const routes = aggregates.map(({ route }) => `${route.method} ${route.url}`)
      return [
        ...[...text.matchAll(/step (\S+)/g)].map(([, name]) => name as string).filter(name => !steps.includes(name)),
        ...[...text.matchAll(/^([A-Z]+ \S+)/gm)]
          .map(([, route]) => route as string)
          .filter(each => !routes.includes(each)),
        ...[...text.matchAll(/─ [A-Z]+ (\/\S*)/g)]
          .map(([, path]) => path as string)
          .filter(path => !clients.includes(`path: '${path}'`)),
      ]
    },
  },
  {
    name: 'the lines of a stream',
    isOf: text => text.startsWith('{"event":'),
    faults: lineFaults,
  },
  {
    name: 'server-sent events of a stream',
    isOf: text => /^data: \{"event":/m.test(text),
    faults: sentEventFaults,
  },
  {
    name: 'a tree of folders',
    isOf: text => /^core\/ /m.test(text),
    faults(text) {
      let parent = ''
      return text.split('\n').flatMap(line => {
        const [, indent = '', names = ''] = /^( *)((?:[\w-]+\/ *)+)/.exec(line) ?? []
        const folders = names.trim().split(/ +/)
        if (indent === '') parent = folders.at(-1) as string
        return folders
          .map(folder => (indent === '' ? folder : parent + folder))
          .filter(path => !existsSync(join(root, 'src', path)))
      })
    },
  },
]

/** Returns the faults of a block of text; a text of no known kind is one. */
export async function textFaults(text: string): Promise<string[]> {
  const kind = kinds.find(each => each.isOf(text))
  if (kind === undefined) return ['no check for a text like this']
  return (await kind.faults(text)).map(fault => `not in ${kind.name}: ${fault}`)
}
