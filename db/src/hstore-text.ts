/** A flat map as the text PostgreSQL's hstore is read from. */
export const hstoreText = (map: Readonly<Record<string, string>>): string =>
  Object.entries(map)
    .map(([name, value]) => `${quoted(name)}=>${quoted(value)}`)
    .join(',')

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
