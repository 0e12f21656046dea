import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { programMissing } from './program-missing.ts'

/** Why a test of the manifests is skipped, or `false`. */
export const kubectlMissing = programMissing('kubectl', ['version', '--client'], 'kubernetes-client')

/** An object of Kubernetes, with the fields that the tests read. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
}

/** Returns the objects of a folder of `ops/kubernetes`, as `kubectl` renders them. */
export function render(folder: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', join(import.meta.dirname, '../../../ops/kubernetes', folder)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return parseAllDocuments(text).map(document => document.toJS() as Manifest)
}

/** The parts of a Deployment that the tests read. */
export interface Deployment {
  readonly replicas?: number
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly template: { readonly metadata: Manifest['metadata']; readonly spec: PodSpec }
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly containers: readonly [
    {
      readonly image: string
      readonly args: readonly string[]
      readonly env: readonly { readonly name: string; readonly value?: string }[]
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
      readonly startupProbe: Probe
      readonly readinessProbe: Probe
      readonly livenessProbe: Probe
      readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
      readonly securityContext: Readonly<Record<string, unknown>>
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
    },
  ]
  readonly volumes: readonly { readonly name: string; readonly configMap: { readonly name: string } }[]
}

/** Returns the specification of the Deployment among rendered objects. */
export function deploymentOf(manifests: readonly Manifest[]): Deployment {
  return manifests.find(({ kind }) => kind === 'Deployment')?.spec as unknown as Deployment
}

/** Returns the variables of the container of a Deployment. */
export function variablesOf({ template }: Deployment): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(template.spec.containers[0].env.map(({ name, value }) => [name, value]))
}
