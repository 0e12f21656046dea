import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './kustomize.ts'

/** The module with the type and the schema of each kind. */
const modules: Readonly<Record<string, string>> = {
  ConfigMap: 'kubernetes-models/v1',
  Deployment: 'kubernetes-models/apps/v1',
  HorizontalPodAutoscaler: 'kubernetes-models/autoscaling/v2',
  NetworkPolicy: 'kubernetes-models/networking.k8s.io/v1',
  PodDisruptionBudget: 'kubernetes-models/policy/v1',
  Service: 'kubernetes-models/v1',
  ServiceMonitor: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
}

type Model = new (data: Manifest) => { validate(): void }

/** Returns the faults of objects by the schemas of their kinds: wrong values and missing fields. */
export async function schemaFaults(manifests: readonly Manifest[]): Promise<string[]> {
  const faults: string[] = []
  for (const manifest of manifests) {
    const { kind } = manifest
    if (modules[kind] === undefined) faults.push(`${kind}: there is no schema for this kind`)
    else
      try {
        const { [kind]: Kind } = (await import(modules[kind])) as Readonly<Record<string, Model>>
        new (Kind as Model)(manifest).validate()
      } catch (error) {
        faults.push(`${kind}: ${(error as Error).message}`)
      }
  }
  return faults
}

/**
 * Returns the errors of the type checker for objects. It finds unknown fields, which the schemas allow.
 *
 * @param folder - A folder below the checkout.
 */
export function typeFaults(folder: string, manifests: readonly Manifest[]): string {
  const lines = manifests.map(
    (manifest, at) =>
      `export const object${at}: import('${modules[manifest.kind]}').I${manifest.kind} = ${JSON.stringify(manifest)}`,
  )
  const file = join(folder, 'manifests.ts')
  writeFileSync(file, lines.join('\n'))
  const args = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '', file]
  // The test runner gives its own loader to every process, and the compiler does not start with it.
  const { stdout, stderr, error } = spawnSync('env', ['-u', 'NODE_OPTIONS', 'tsc', ...args], { encoding: 'utf8' })
  if (error !== undefined || stderr !== '') throw new Error(`tsc did not start: ${stderr}`, { cause: error })
  return stdout
}
