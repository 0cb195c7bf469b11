# Reads "id host port anchors" lines, prints "id ok" or "id no reason".
require 'net/http'
require 'openssl'
STDIN.each_line do |line|
  id, host, port, anchors = line.chomp.split("\t")
  begin
    http = Net::HTTP.new(host, port.to_i)
    http.ipaddr = '127.0.0.1'
    http.use_ssl = true
    http.ca_file = anchors
    http.get('/')
    puts "#{id}\tok"
  rescue StandardError => error
    puts "#{id}\tno\t#{error.message.split.join(' ')}"
  end
  STDOUT.flush
end
