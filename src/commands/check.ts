import { printable } from '../log/printable.ts'
import type { CheckedService, CheckedUpstream } from '../server/check.ts'
import type { Command } from './command.ts'
import { environment, exitCodes } from './help.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { readFileArguments } from './read-arguments.ts'

const help = `headwaters: checks definitions and environment variables

Usage: headwaters check [files or folders...] [options]

Loads the definitions and reads the environment as 'headwaters serve' does. Prints the aggregates and the upstreams, or
all faults. Listens nowhere and calls no upstream. Without files, checks the built-in aggregates.

Options
  --metrics   prints the largest number of series of each metric family, and their sum. A service that serves these
              definitions never has more, whatever its callers and its upstreams send
  --help      prints this text; also -h

${environment}
${exitCodes}`

const options = {
  metrics: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const given = readFileArguments('check', help, args, options)
    if (given === undefined) return 0
    const { metrics, paths } = given
    const { checkService } = await import('../server/check.ts')
    const service = await outputToStderr(() => checkService(paths, process.env))
    process.stdout.write(metrics ? seriesText(service) : serviceText(service))
    return 0
  },
}

/** Returns the output of the command for a service without faults. */
export function serviceText({ aggregates, upstreams, batch, workers }: Omit<CheckedService, 'series'>): string {
  return [
    `${counted(aggregates.length, 'aggregate')}`,
    ...aggregates.map(each => `  ${printable(each)}`),
    `${counted(upstreams.length, 'upstream')}`,
    ...upstreams.map(each => `  ${printable(upstreamText(each))}`),
    ...(batch === undefined
      ? []
      : [`batch: ${counted(batch.operations, 'operation')}, ${counted(batch.aggregates, 'aggregate')}`]),
    ...(workers === 1 ? [] : [`workers: ${workers}`]),
    'no faults',
    '',
  ].join('\n')
}

function upstreamText({ name, origin, isOff }: CheckedUpstream): string {
  return `${name}: ${origin}${isOff ? ' (off)' : ''}`
}

/** Returns a table of the families and a line with the sum. */
function seriesText({ series }: CheckedService): string {
  const total = series.reduce((sum, family) => sum + family.series, 0)
  const rows = [...series, { name: 'total', series: total }]
  const width = Math.max(...rows.map(({ name }) => name.length))
  const digits = String(total).length
  return rows.map(({ name, series: count }) => `${name.padEnd(width)}  ${String(count).padStart(digits)}\n`).join('')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
