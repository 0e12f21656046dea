import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')

/** Returns the text of a file of the repository. */
export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** A rule of `ops/prometheus/alerts.yaml`. */
export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

/** Returns all alerts. */
export function readAlerts(): readonly AlertRule[] {
  const { groups } = parse(readText('ops/prometheus/alerts.yaml')) as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[]
  }
  return groups.flatMap(({ rules }) => rules)
}

/** A query of a panel of the dashboard, with its variables replaced: all instances, and rates over one minute. */
export interface PanelQuery {
  readonly panel: string
  readonly expression: string
}

/** Returns each query of each panel of the Grafana dashboard. */
export function readPanelQueries(): readonly PanelQuery[] {
  const { panels } = JSON.parse(readText('ops/grafana/headwaters.json')) as {
    readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
  }
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      expression: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance|aggregate|upstream)\b/g, '.*'),
    })),
  )
}
