import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'
import { serveHttp } from '../helpers/serve-http.ts'

const file = join(import.meta.dirname, '../../tools/image/health-check.cjs')

/** Runs the health check of the image. Returns its exit code and its output. */
const check = (variables: Readonly<Record<string, string>>) =>
  new Promise<{ readonly code: unknown; readonly output: string }>(resolve => {
    execFile(process.execPath, [file], { env: { ...childEnvironment, ...variables } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    )
  })

test('the health check of the image reads HOST and PORT as the service does', async t => {
  let status = 200
  const { port } = new URL(
    await serveHttp(
      t,
      createServer((_, response) => void response.writeHead(status).end('state')),
    ),
  )
  for (const HOST of ['', ' ', '0.0.0.0', '127.0.0.1', ' 127.0.0.1 '])
    t.same(await check({ HOST, PORT: ` ${port} ` }), { code: 0, output: 'state' }, `HOST='${HOST}'`)
  status = 503
  t.match(await check({ PORT: port }), { code: 1 })
  t.notMatch(await check({ PORT: ' ' }), { output: /:80\b/ }, 'an empty variable counts as not set')
})
