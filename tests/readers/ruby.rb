# Ruby's mail gem, as Rails uses it; README.md tells what is asked and answered.

require 'json'
require 'mail'

def shown(addresses)
  addresses.map { |address| [address.address, Mail::Encodings.value_decode(address.display_name.to_s)] }
end

READERS = {
  'Ruby Mail::Address' => lambda do |asked|
    shown(Mail::AddressList.new(asked[:text]).addresses)
  end,
  'Ruby Mail::Address, decoded first' => lambda do |asked|
    shown(Mail::AddressList.new(Mail::Encodings.value_decode(asked[:text])).addresses)
  end,
  'Ruby Mail.read' => lambda do |asked|
    field = Mail.new(asked[:octets])[asked[:name]]
    field.addresses.zip(field.respond_to?(:display_names) ? field.display_names : [])
  end
}.freeze

def text(octets)
  unfolded = octets.gsub("\r\n", '').strip
  unfolded.dup.force_encoding('UTF-8').valid_encoding? ? unfolded.force_encoding('UTF-8') : unfolded.force_encoding('ISO-8859-1').encode('UTF-8')
end

$stdout.sync = true
$stdin.each_line do |line|
  question = JSON.parse(line)
  octets = question['message'].encode('ISO-8859-1').b
  asked = { name: question['name'], octets: octets, text: text(question['field'].encode('ISO-8859-1').b) }
  READERS.each do |reader, read|
    begin
      entries = read.call(asked)
      answer = { addresses: entries.map(&:first).compact, names: entries.map(&:last).compact.reject(&:empty?) }
      answer.each_value { |list| list.map! { |value| value.to_s.encode('UTF-8', invalid: :replace, undef: :replace).scrub } }
    rescue StandardError => e
      answer = { addresses: [], names: [], error: e.message.encode('UTF-8', invalid: :replace, undef: :replace).scrub }
    end
    puts JSON.generate({ id: question['id'], reader: reader }.merge(answer))
  end
end
