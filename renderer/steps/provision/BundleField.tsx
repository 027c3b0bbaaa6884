/** The folder of the site bundle on this laptop, typed or picked. */
import { FolderField } from '../../components/FolderField.tsx';

export function BundleField({ value, onChange }: { value: string; onChange: (folder: string) => void }) {
  return (
    <FolderField
      label="Site bundle"
      description="The folder on this laptop with manifest.json in it. The box gets its files through the SSH connection and needs no other network."
      what="bundle"
      value={value}
      onChange={onChange}
    />
  );
}
