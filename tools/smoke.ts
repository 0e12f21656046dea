import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

// Starts the service on a free port with its demo upstreams and sends one request. Fails if the reply is not complete.
const service = spawn(process.execPath, [join(import.meta.dirname, '../src/cli.ts'), 'serve'], {
  env: { ...process.env, HOST: '127.0.0.1', PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: 60_000,
})
service.once('exit', code => {
  if (process.exitCode === undefined) process.exitCode = 1
  console.log(`the service ended with ${code}`)
})

for await (const line of createInterface(service.stdout)) {
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
  if (origin === undefined) continue
  service.stdout.resume()
  const response = await fetch(`${origin}/v1/cat-facts?count=3`)
  const reply = (await response.json()) as { readonly data?: { readonly facts: readonly unknown[] } }
  console.log(`${response.status}, ${reply.data?.facts.length} facts`)
  process.exitCode = response.status === 200 && (reply.data?.facts.length ?? 0) >= 3 ? 0 : 1
  break
}
service.kill()
