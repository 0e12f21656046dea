import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'
import { readText } from '../helpers/ops-files.ts'
import { refusedVariables, secondsToExit, unknownVariables } from './helpers/deployed-process.ts'

interface ComposeService {
  readonly image: string
  readonly build?: string
  readonly volumes?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: readonly string[]
  readonly ports?: readonly string[]
  readonly secrets?: readonly string[]
  readonly read_only?: boolean
  readonly stop_grace_period?: string
}

const root = join(import.meta.dirname, '../..')
const { services, secrets } = parse(readText('compose.yaml')) as {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>
}
const service = services['headwaters'] as ComposeService

test('the compose file has the service, Redis, Prometheus and Grafana', async t => {
  t.same(Object.keys(services), ['headwaters', 'redis', 'prometheus', 'grafana'])
})

test('each file that the compose file mounts or builds exists, and each other image has a version', async t => {
  for (const [name, { image, build, volumes = [], depends_on: needs = [], secrets: read = [] }] of Object.entries(
    services,
  )) {
    if (build === undefined) t.match(image, /:v?\d+\.\d+/, name)
    else t.ok(existsSync(join(root, build, 'Dockerfile')), name)
    for (const volume of volumes) t.ok(existsSync(join(root, volume.split(':')[0] as string)), volume)
    for (const need of needs) t.ok(need in services, need)
    for (const secret of read) t.ok(secret in secrets, secret)
  }
})

test('each variable of the service in the compose file exists, with a value that it accepts', async t => {
  t.ok(Object.keys(service.environment ?? {}).length > 3)
  t.same(unknownVariables(service.environment ?? {}), [])
  t.same(refusedVariables(service.environment ?? {}), [])
})

test('the compose file names services and ports that exist', async t => {
  const { environment = {}, ports = [] } = service
  t.ok(new URL(environment['HEADWATERS_REDIS_URL'] as string).hostname in services)
  t.ok(ports.includes(`127.0.0.1:${environment['ADMIN_PORT']}:${environment['ADMIN_PORT']}`))
  const target = `headwaters:${environment['ADMIN_PORT']}`
  t.match(readText('ops/prometheus/prometheus.yaml'), target, 'Prometheus scrapes the port of the operator')
  t.match(readText('ops/prometheus/prometheus.yaml'), '/run/secrets/admin_key')
})

test('the compose file opens ports on this machine only', async t => {
  for (const port of Object.values(services).flatMap(({ ports = [] }) => ports)) t.match(port, /^127\.0\.0\.1:/)
})

test('the compose file gives the service the time that it takes to drain and exit, and a read-only root', async t => {
  t.equal(service.stop_grace_period, `${secondsToExit(service.environment ?? {})}s`)
  t.equal(service.read_only, true)
})
