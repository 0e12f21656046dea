import { styleText } from 'node:util'
import { printable } from './printable.ts'

interface Level {
  readonly label: string
  readonly color: 'red' | 'yellow' | 'green' | 'dim' | 'magenta'
}

/** The levels of pino. */
const levels: ReadonlyMap<unknown, Level> = new Map([
  [10, { label: 'TRACE', color: 'dim' }],
  [20, { label: 'DEBUG', color: 'dim' }],
  [30, { label: 'INFO', color: 'green' }],
  [40, { label: 'WARN', color: 'yellow' }],
  [50, { label: 'ERROR', color: 'red' }],
  [60, { label: 'FATAL', color: 'magenta' }],
])

/**
 * Fields that are not written as `key=value`: they are the same in each line of a process, have their own place in the
 * line, or are used by programs only.
 */
const omitted = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'span_id', 'trace_flags'])

/** A value that needs no quotes. */
const plain = /^[^\s"=[\]{}]+$/

/**
 * Returns a line of the log for a reader at a terminal: time, level, message and fields as `key=value`. The fields of
 * an object have dots in their names, except those of a source of a run, which are parameters of its state as in the
 * header `headwaters-sources`. Stacks follow below the line, and so does the configuration. Characters that control the
 * terminal are escaped.
 *
 * @param line - A line of JSON. A line that is not JSON is returned with its control characters escaped.
 * @param color - True to colour levels and names.
 */
export function readableLine(line: string, color: boolean): string {
  const fields = parsed(line)
  if (fields === undefined) return `${printable(line.trimEnd())}\n`
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text
  const { label, color: levelColor } = levels.get(fields['level']) ?? {
    label: textOf(fields['level']),
    color: 'dim',
  }
  const pairs: string[] = []
  const stacks: string[] = []
  const blocks: string[] = []
  addPairs(fields, '', (name, value) => {
    if (name === 'stack' || name.endsWith('.stack')) stacks.push(textOf(value))
    else if (isBlock(name, value)) blocks.push(...blockOf(name, value))
    else
      pairs.push(`${paint('dim', `${printable(name)}=`)}${isSource(value) ? shownSource(value) : shown(name, value)}`)
  })
  const head = [
    paint('dim', timeOf(fields['time'])),
    paint(levelColor, printable(label).padEnd(5)),
    printable(textOf(fields['msg'])),
    ...pairs,
  ].join(' ')
  const below = stacks.flatMap(stack => stack.split('\n')).map(each => `    ${printable(each.trim())}\n`)
  return `${head}\n${blocks.join('')}${below.join('')}`
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Calls `add` for each field. The fields of an object get their path as their name. */
function addPairs(
  fields: Readonly<Record<string, unknown>>,
  path: string,
  add: (name: string, value: unknown) => void,
): void {
  for (const [name, value] of Object.entries(fields)) {
    if (path === '' && omitted.has(name)) continue
    if (
      isFields(value) &&
      Object.keys(value).length > 0 &&
      !(path === 'sources.' && isSource(value)) &&
      !(path === '' && isBlock(name, value))
    )
      addPairs(value, `${path}${name}.`, add)
    else add(path + name, value)
  }
}

/** Fields of the line of the configuration. Each is a block of lines below it, because it has many values. */
const blockNames: ReadonlySet<string> = new Set(['set', 'defaults', 'origins'])
/** The length of the lines of a block, in characters. A longer value has its own line. */
const blockWidth = 110

function isBlock(name: string, value: unknown): value is Readonly<Record<string, unknown>> {
  return blockNames.has(name) && isFields(value)
}

/** Returns the lines of a block: its name, and its values as `key=value`. */
function blockOf(name: string, values: Readonly<Record<string, unknown>>): string[] {
  const lines = [`    ${printable(name)}:`]
  for (const [key, value] of Object.entries(values)) {
    const word = ` ${printable(key)}=${shown(key, value)}`
    if ((lines.at(-1) as string).length + word.length <= blockWidth) lines[lines.length - 1] += word
    else lines.push(`     ${word}`)
  }
  return lines.map(line => `${line}\n`)
}

/** Returns true for a source of a run, which is an object with a state. */
function isSource(value: unknown): value is Readonly<Record<string, unknown>> {
  return isFields(value) && typeof value['state'] === 'string'
}

/** Returns a source as its state with parameters: `fallback;ms=12;attempts=2;code=UPSTREAM_STATUS`. */
function shownSource({ state, ...parameters }: Readonly<Record<string, unknown>>): string {
  const texts = Object.entries(parameters).map(([name, value]) => `;${printable(name)}=${shown(name, value)}`)
  return shown('state', state) + texts.join('')
}

/** The local time of day, to the millisecond. */
function timeOf(time: unknown): string {
  const date = new Date(typeof time === 'number' ? time : Number.NaN)
  if (Number.isNaN(date.getTime())) return '--:--:--.---'
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(part =>
    String(part).padStart(2, '0'),
  )
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function shown(name: string, value: unknown): string {
  // A difference of two times has digits below one microsecond, so it is rounded.
  if (name === 'responseTime' && typeof value === 'number') return String(Math.round(value * 1000) / 1000)
  if (typeof value === 'string' && plain.test(value)) return printable(value)
  return printable(JSON.stringify(value))
}

/** Returns an empty text for a field that is absent. */
function textOf(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
