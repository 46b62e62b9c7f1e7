/** A flat map as the text PostgreSQL's hstore is read from. */
export const hstoreText = (map: Readonly<Record<string, string>>): string =>
  Object.entries(map)
    .map(([name, value]) => `${quoted(name)}=>${quoted(value)}`)
    .join(',')

/** The order in which hstore keeps names, given as their bytes in UTF-8: short ones first, then byte by byte. */
export const compareHstoreNames = (a: Buffer, b: Buffer): number =>
  a.length - b.length || Buffer.compare(a, b)

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
