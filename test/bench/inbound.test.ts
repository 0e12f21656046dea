import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createServer } from 'node:http'
import { test } from 'tap'
import { SinkConnection } from '../../bench/micro/inbound/sink-connection.ts'

const run = promisify(execFile)
const main = join(import.meta.dirname, '../../bench/micro/inbound/main.ts')

test('the bench of an inbound request prints a row for each piece, which is its cost minus that of the row beside it', async t => {
  // The exit code depends on the speed of the machine.
  const { stdout } = await run(process.execPath, [main, '--rounds', '2']).catch((error: { stdout: string }) => error)
  const costs = new Map<string, number>()
  const added = new Map<string, number>()
  for (const line of stdout.split('\n')) {
    const [, cost, more, name] = /^ *(\d+\.\d\d)(?: +(-?\d+\.\d\d))? +(\S.*)$/.exec(line) ?? []
    if (name === undefined) continue
    costs.set(name, Number(cost))
    if (more !== undefined) added.set(name, Number(more))
  }
  t.same([...costs.keys()].slice(0, 2), ['node:http', 'Fastify'])
  t.ok(costs.has('metrics') && costs.has('log line, level info'))
  const difference = (name: string, beside: string) => (costs.get(name) as number) - (costs.get(beside) as number)
  t.ok(Math.abs((added.get('metrics') as number) - difference('metrics', 'Fastify')) < 0.02)
  const line = difference('log line, level info', 'logger, level warn')
  t.ok(Math.abs((added.get('log line, level info') as number) - line) < 0.02)
  t.match(stdout, /a request with its log line costs \d+\.\d\d times as much as with node:http/)
})

test('a connection in memory counts whole replies with status 200', async t => {
  let status = 200
  const server = createServer((_request, response) => response.writeHead(status).end('text'))
  const connection = new SinkConnection(server)
  const send = async () => {
    connection.send(Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'))
    await new Promise(setImmediate)
  }
  await send()
  await send()
  t.equal(connection.replies, 2)
  status = 503
  await send()
  t.equal(connection.replies, 2)
})
