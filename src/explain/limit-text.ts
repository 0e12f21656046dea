import type { Limit } from './explanation.ts'
import { together, wrapped } from './wrapped-text.ts'

/** Returns whether a limit has its default value, and that of this process is the whole. */
export function isPlainDefault({ from, reducedBy }: Limit): boolean {
  return from === 'default' && reducedBy === undefined
}

/**
 * Returns the lines of limits: those that were set, one per line, and then the defaults together. The options of a
 * group, such as `retry`, have a line of their own.
 *
 * @param title - The words before the defaults.
 */
export function limitLines(limits: readonly Limit[], indent: number, title = 'default'): string[] {
  const pad = ' '.repeat(indent)
  const set = limits.filter(limit => !isPlainDefault(limit))
  const plain = limits.filter(limit => isPlainDefault(limit) && limit.value !== null)
  const groups = Map.groupBy(plain, ({ name }) => (name.includes('.') ? name.slice(0, name.indexOf('.')) : ''))
  const own = groups.get('') ?? []
  groups.delete('')
  const listed = (group: readonly Limit[], skipped = 0) =>
    group.map(limit => limitText({ ...limit, name: limit.name.slice(skipped) })).join(', ')
  return [
    ...set.flatMap(limit => wrapped(`${pad}${setText(limit)}`, indent + 2)),
    ...(plain.length === 0 ? [] : wrapped(`${pad}${title}: ${listed(own)}`.trimEnd(), indent + 2)),
    ...Array.from(groups).flatMap(([name, group]) =>
      wrapped(`${pad}  ${name}: ${listed(group, name.length + 1)}`, indent + 4),
    ),
  ]
}

/** Returns the name and the value of a limit: `attemptTimeout 1000 ms`. */
export function limitText({ name, value, unit, note }: Limit): string {
  const shown = value === false ? 'off' : value === true ? 'on' : value === null ? 'none' : sizeText(value, unit)
  return `${together(`${name} ${shown}`)}${note === undefined ? '' : ` (${note})`}`
}

function setText(limit: Limit): string {
  const { name, unit, from, whole, reducedBy } = limit
  const part = whole === undefined ? '' : ` of ${together(sizeText(whole, unit))}, for ${reducedBy}`
  return `${limitText(limit)}${part} (${from === name ? 'set' : from})`
}

/** Returns a number of bytes in the largest unit that has a whole number, and other values as they are. */
function sizeText(value: number | string, unit: Limit['unit']): string {
  if (typeof value === 'string' || unit === undefined) return String(value)
  if (unit === 'ms' || value === 0) return `${value} ${unit}`
  if (value % 2 ** 20 === 0) return `${value / 2 ** 20} MiB`
  return value % 1024 === 0 ? `${value / 1024} KiB` : `${value} bytes`
}
