// npm run bench:wire: measures the cost of one upstream call with several clients and protocols, without an inbound
// request.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pinned, startChild, stopChildren } from '../../lib/child.ts'
import { median } from '../../lib/percentile.ts'
import type { WireJob, WireWindow } from './client.ts'
import { variants } from './variants.ts'

const help = `Measures the CPU time of one upstream call in several variants, interleaved with undici's Pool.request.

node bench/micro/wire/main.ts [options]
  --only        a,b    only variants whose names contain one of these
  --rounds      9      windows of each variant
  --ms          400    length of a window, in ms
  --body-bytes  110    size of a response body (always 110 with HTTP/2)
  --delay-ms    0      delay of the upstream
`

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '9' },
    ms: { type: 'string', default: '400' },
    'body-bytes': { type: 'string', default: '110' },
    'delay-ms': { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

try {
  if (values.help) process.stdout.write(help)
  else await compare()
} finally {
  stopChildren()
}

async function compare(): Promise<void> {
  const upstream = await startChild(
    'upstream',
    new URL('../../compare/workload/upstream.ts', import.meta.url),
    [values['body-bytes'], values['delay-ms']],
    0,
  )
  const zipped = await startChild(
    'zipped',
    new URL('../../compare/workload/upstream.ts', import.meta.url),
    [values['body-bytes'], values['delay-ms'], 'fields', '0', 'gzip'],
    0,
  )
  const h2 = spawn(process.execPath, [join(import.meta.dirname, 'h2-upstream.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [{ port, tlsPort }] = (await once(h2, 'message')) as [{ port: number; tlsPort: number }]
  const client = await startChild('client', new URL('./client.ts', import.meta.url), [], 1)
  const wanted = values.only.split(',')
  const names = variants
    .map(({ name }) => name)
    .filter((name, index) => index === 0 || wanted.some(part => name.includes(part)))
  const demand: WireJob = {
    origins: {
      plain: `http://127.0.0.1:${upstream.port}`,
      zipped: `http://127.0.0.1:${zipped.port}`,
      h2c: `http://127.0.0.1:${port}`,
      tls: `https://127.0.0.1:${tlsPort}`,
    },
    names,
    rounds: Number(values.rounds),
    ms: Number(values.ms),
  }
  const windows = await client.request<WireWindow[]>(demand)
  h2.kill()
  console.log(
    `Node ${process.versions.node}, ` +
      `${pinned ? 'client on one core, upstreams on the other' : 'not pinned'}, ${values['body-bytes']} B, ` +
      `${values.rounds} rounds of ${values.ms} ms\n`,
  )
  console.log(
    `| way | µs a call | of \`${names[0]}\` | min–max | calls a second | busy |\n| --- | --- | --- | --- | --- | --- |`,
  )
  for (const name of names)
    console.log(
      rowOf(
        name,
        windows.filter(window => window.name === name),
        windows.filter(window => window.name === names[0]),
      ),
    )
}

function rowOf(name: string, windows: readonly WireWindow[], floor: readonly WireWindow[]): string {
  const ratios = windows
    .map(
      ({ round, microsPerCall }) =>
        microsPerCall / (floor.find(window => window.round === round)?.microsPerCall ?? Number.NaN),
    )
    .sort((a, b) => a - b)
  const of = (field: 'microsPerCall' | 'callsPerSecond' | 'busy') => median(windows.map(window => window[field]))
  return (
    `| ${name} | ${of('microsPerCall').toFixed(1)} | ${median(ratios).toFixed(2)} | ` +
    `${ratios[0]?.toFixed(2)}–${ratios.at(-1)?.toFixed(2)} | ${of('callsPerSecond').toFixed(0)} | ` +
    `${(of('busy') * 100).toFixed(0)} % |`
  )
}
