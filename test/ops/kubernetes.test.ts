import { test } from 'tap'
import { main } from '../../src/commands/main.ts'
import { readText } from '../helpers/ops-files.ts'
import { serveApp } from '../helpers/served-app.ts'
import { refusedVariables, secondsToExit, unknownVariables } from './helpers/deployed-process.ts'
import { schemaFaults, typeFaults } from './helpers/kubernetes-schemas.ts'
import { deploymentOf, kubectlMissing, render, variablesOf, type Manifest } from './helpers/kustomize.ts'

const skip = kubectlMissing
const folders = ['base', 'overlays/example', 'overlays/redis', 'overlays/workers']
const rendered = skip === false ? folders.map(folder => ({ folder, manifests: render(folder) })) : []

const everything = skip === false ? [...rendered, { folder: 'prometheus', manifests: render('prometheus') }] : []

test('each rendered manifest is valid by the schema and the type of its kind', { skip }, async t => {
  for (const { folder, manifests } of everything) t.same(await schemaFaults(manifests), [], folder)
  t.equal(
    typeFaults(
      t.testdir({}),
      everything.flatMap(({ manifests }) => manifests),
    ),
    '',
  )
  t.same(rendered[0]?.manifests.map(({ kind }) => kind).toSorted(), [
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
    'Service',
  ])
})

test('the schemas find a wrong value, and the types an unknown field', { skip }, async t => {
  const manifests = rendered[0]?.manifests ?? []
  const service = manifests.find(({ kind }) => kind === 'Service') as Manifest
  const wrong = { ...service, spec: { ...service.spec, ports: [{ port: 'http' }] } }
  t.match(await schemaFaults([wrong, { ...service, kind: 'Servise' }]), [/port/, /no schema for this kind/])
  const deployment = manifests.find(({ kind }) => kind === 'Deployment') as Manifest
  const unknown = { ...deployment, spec: { ...deployment.spec, replica: 3 } }
  t.match(typeFaults(t.testdir({}), [unknown]), /'"replica"' does not exist/)
})

test('each variable of a manifest is a variable of the service, with a value that it accepts', { skip }, async t => {
  for (const { folder, manifests } of rendered) {
    const variables = variablesOf(deploymentOf(manifests))
    t.ok(Object.keys(variables).length > 4, folder)
    t.same(unknownVariables(variables), [], folder)
    t.same(refusedVariables(variables), [], folder)
  }
})

test('a pod is killed after preStop and the time that the process takes to drain and exit', { skip }, async t => {
  for (const { folder, manifests } of rendered) {
    const deployment = deploymentOf(manifests)
    const { terminationGracePeriodSeconds, containers } = deployment.template.spec
    const { seconds } = containers[0].lifecycle.preStop.sleep
    t.equal(terminationGracePeriodSeconds, seconds + secondsToExit(variablesOf(deployment)), folder)
  }
})

test('the probes ask the health paths at a port of the container, and the service answers them', { skip }, async t => {
  const { origin } = await serveApp(t)
  const [container] = deploymentOf(rendered[0]?.manifests ?? []).template.spec.containers
  const { startupProbe, readinessProbe, livenessProbe, ports } = container
  for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
    t.equal(ports.find(({ name }) => name === httpGet.port)?.containerPort, 3000)
    t.equal((await fetch(origin + httpGet.path)).status, 200, httpGet.path)
  }
})

test('a pod has no right that the service does not need', { skip }, async t => {
  for (const { folder, manifests } of rendered) {
    const { securityContext, containers, ...pod } = deploymentOf(manifests).template.spec
    t.match(pod, { automountServiceAccountToken: false })
    t.match(securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }, folder)
    t.same(containers[0].securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const [, user] = /^USER (\d+):/m.exec(readText('Dockerfile')) ?? []
    t.equal(String(securityContext['runAsUser']), user, 'the user of the image')
  }
})

test(
  'every selector selects the pods, and every port of a Service and a policy is a port of the container',
  { skip },
  async t => {
    const manifests = rendered[0]?.manifests ?? []
    const { selector, template, replicas } = deploymentOf(manifests)
    t.equal(replicas, undefined, 'the autoscaler sets the number of replicas')
    const labels = template.metadata.labels
    t.match(labels, selector.matchLabels)
    const ports = template.spec.containers[0].ports.map(({ name }) => name)
    const text = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Deployment'))
    const selected = [...text.matchAll(/"(?:matchLabels|selector)":(\{"app[^}]*\})/g)]
    t.equal(selected.length, 4)
    for (const [, match = ''] of selected) t.match(labels, JSON.parse(match) as object)
    const named = [...text.matchAll(/"(?:targetPort|port)":"(\w+)"/g)].map(([, name]) => name)
    t.equal(named.length, 4)
    t.same(
      named.filter(name => !ports.includes(name as string)),
      [],
    )
  },
)

test(
  'the ServiceMonitor selects the Service with the port of the operator, and its job is that of the alerts',
  { skip },
  async t => {
    const [monitor] = render('prometheus') as [Manifest]
    const { selector, endpoints, jobLabel } = monitor.spec as {
      readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
      readonly endpoints: readonly [{ readonly port: string }]
      readonly jobLabel: string
    }
    const services = (rendered[0]?.manifests ?? []).filter(
      ({ kind, metadata: { labels = {} } }) =>
        kind === 'Service' && Object.entries(selector.matchLabels).every(([name, value]) => labels[name] === value),
    )
    t.match(services, [{ spec: { ports: [{ name: endpoints[0].port }] } }])
    t.equal(services[0]?.metadata.labels?.[jobLabel], 'headwaters')
  },
)

test('the autoscaler follows a documented gauge', { skip }, async t => {
  const scaler = rendered[0]?.manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler')
  const [, name] = /"metric":\{"name":"(\w+)"/.exec(JSON.stringify(scaler)) ?? []
  t.match(readText('docs/metrics.md'), `| \`${name}\` | gauge |`)
})

test('the definitions of each ConfigMap are mounted, and pass headwaters check', { skip }, async t => {
  t.capture(process.stdout, 'write', () => true)
  for (const { folder, manifests } of rendered) {
    const map = manifests.find(({ kind }) => kind === 'ConfigMap')
    t.equal(await main(['check', t.testdir(map?.data ?? {})]), 0, folder)
    const { volumes, containers } = deploymentOf(manifests).template.spec
    t.match(volumes, [{ name: 'definitions', configMap: { name: map?.metadata.name } }])
    t.match(containers[0].volumeMounts, [{ name: 'definitions', mountPath: containers[0].args[1] }])
  }
})

test('the example overlay replaces the namespace, the image and the definitions', { skip }, async t => {
  const manifests = rendered.find(({ folder }) => folder === 'overlays/example')?.manifests ?? []
  for (const { metadata } of manifests) t.match(metadata, { namespace: 'shop' })
  t.equal(deploymentOf(manifests).template.spec.containers[0].image, 'registry.example/shop/headwaters:1.4.0')
  t.same(Object.keys(manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {}), ['order.ts'])
})

test('the rule for the adapter gives the autoscaler its metric', { skip }, async t => {
  const scaler = rendered[0]?.manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler')
  const [, name = ''] = /"metric":\{"name":"(\w+)"/.exec(JSON.stringify(scaler)) ?? []
  t.match(readText('ops/kubernetes/prometheus/adapter-values.yaml'), `seriesQuery: '${name}{`)
})
